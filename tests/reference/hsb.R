# Reference values for High School & Beyond: 7185 students in 160 schools. Its null model is the
# source of the question's 0.2443936.
# Writes hsb.json beside this script: Rscript tests/reference/hsb.R

# The repository root, wherever the script is started from (Rscript writes "~+~" for a space).
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages(library(lme4))

# ---- the data -----------------------------------------------------------------------------------
define({
  hsb <- read.csv("helpers/data/hsb.csv")
  hsb$school <- factor(hsb$school)
  hsb$catholic <- as.integer(hsb$sector == "catholic")
  hsb$mses <- ave(hsb$ses, hsb$school)     # school means are computed, not read
  hsb$cses <- hsb$ses - hsb$mses
  nj <- as.integer(table(hsb$school))
  J <- length(nj)
  N <- sum(nj)
})
add("data.N", "N")
add("data.J", "J")
add("data.nj_range", "range(nj)")
add("data.nj_mean_harmonic", "c(mean(nj), 1 / mean(1 / nj))")

# ---- the null model, with complete and no pooling -----------------------------------------------
define({
  H0 <- lmer(math ~ 1 + (1 | school), hsb)
  H0T <- lmerTest::lmer(math ~ 1 + (1 | school), hsb)
  v0 <- as.data.frame(VarCorr(H0))$vcov     # variance between schools, variance within
  cp <- lm(math ~ 1, hsb)
  np <- lm(math ~ school - 1, hsb)
})
add("H0.est", "fixef(H0)")
add("H0.se", "unname(sqrt(diag(as.matrix(vcov(H0)))))",
    "prints as 0.2443936: the question's unexplained number")
add("H0.se_7digits", "format(unname(sqrt(diag(as.matrix(vcov(H0))))), digits = 7)")
add("H0.psi", "as.data.frame(VarCorr(H0))$vcov[1]")
add("H0.theta", "as.data.frame(VarCorr(H0))$vcov[2]")
add("H0.icc", "v0[1] / sum(v0)")
add("H0.ml_se", "unname(sqrt(diag(as.matrix(vcov(refitML(H0))))))")
add("H0.REMLcrit", "REMLcrit(H0)")
add("H0.satt_df", "summary(H0T)$coef[, 'df']")
add("cp.est", "coef(cp)")
add("cp.se", "unname(sqrt(diag(vcov(cp))))")
add("np.se_range", "range(sqrt(diag(vcov(np))))")
add("np.se_grand_unweighted", "sqrt(sum(vcov(np))) / J")
add("np.sigma", "sigma(np)")
add("H0.gls_formula", "1 / sqrt(sum(1 / (v0[1] + v0[2] / nj)))")
add("H0.formula_mean_n", "sqrt((v0[1] + v0[2] / mean(nj)) / J)")
add("H0.formula_harm_n", "sqrt((v0[1] + v0[2] * mean(1 / nj)) / J)")
for (type in c("CR0", "CR1", "CR2")) {
  add(paste0("cp.", type),
      sprintf("sqrt(as.numeric(clubSandwich::vcovCR(cp, cluster = hsb$school, type = '%s')))",
              type))
}

# ---- socio-economic status: raw, within and between schools, with the sector --------------------
define({
  H1 <- lmerTest::lmer(math ~ ses + (1 | school), hsb)
  H2 <- lmerTest::lmer(math ~ cses + mses + (1 | school), hsb)
  H3 <- lmerTest::lmer(math ~ ses + mses + (1 | school), hsb)
  H4 <- lmerTest::lmer(math ~ cses + mses + catholic + (1 | school), hsb)
})
for (m in c("H1", "H2", "H3", "H4")) {
  add(paste0(m, ".formula"), sprintf("deparse1(formula(%s))", m))
  add(paste0(m, ".fixef"), sprintf("fixef(%s)", m))
  add(paste0(m, ".se"), sprintf("sqrt(diag(as.matrix(vcov(%s))))", m))
  add(paste0(m, ".df_satt"), sprintf("summary(%s)$coef[, 'df']", m))
  add(paste0(m, ".var"), sprintf("as.data.frame(VarCorr(%s))$vcov", m))
}

# ---- slopes that vary from school to school -----------------------------------------------------
define({
  S2 <- lmerTest::lmer(math ~ cses + mses + (1 + cses | school), hsb)
  R2 <- lme4::lmer(math ~ cses + mses + (1 | school), hsb)
  lines <- lapply(split(hsb, hsb$school), function(d) lm(math ~ cses, d))
  ss_school <- vapply(split(hsb$cses^2, hsb$school), sum, 0)
  slope_school <- vapply(lines, function(m) coef(m)[["cses"]], 0)
  theta_lines <- sum(vapply(lines, deviance, 0)) / sum(vapply(lines, df.residual, 0))
  slope_all <- sum(ss_school * slope_school) / sum(ss_school)
})
add("S2.formula", "deparse1(formula(S2))")
add("S2.fixef", "fixef(S2)")
add("S2.se", "sqrt(diag(as.matrix(vcov(S2))))")
add("S2.df_satt", "summary(S2)$coef[, 'df']")
add("S2.sdcor", "as.data.frame(VarCorr(S2))$sdcor",
    "sd of the intercepts, sd of the slopes, their correlation, sd within")
add("S2.Q", "sum(ss_school * (slope_school - slope_all)^2) / theta_lines",
    "of the slopes of one line a school; chi-square on J - 1 df if all are one")
add("S2.Q_p", "pchisq(sum(ss_school * (slope_school - slope_all)^2) / theta_lines, J - 1, lower = FALSE)")
add("H2.CR2", "sqrt(diag(as.matrix(clubSandwich::vcovCR(R2, type = 'CR2'))))",
    "cluster-robust around the random intercept of H2")

add("H1.weights", "unname((fixef(H2)['mses'] - fixef(H1)['ses']) / diff(fixef(H2)[-1]))",
    paste("weight w of the within slope in the random-intercept slope:",
          "b_RE = w*b_within + (1-w)*b_between"))

# ---- least squares with cluster-robust standard errors, and fixed effects -----------------------
define({
  O2 <- lm(math ~ cses + mses + catholic, hsb)
  OS <- lm(math ~ ses, hsb)
  FE <- lm(math ~ ses + school - 1, hsb)
})
add("ols.fixef", "coef(O2)")
add("ols.se", "sqrt(diag(vcov(O2)))")
add("ols.CR1S",
    "sqrt(diag(as.matrix(clubSandwich::vcovCR(O2, cluster = hsb$school, type = 'CR1S'))))",
    "= Stata's and statsmodels' cluster standard errors")
add("ols.CR2",
    "sqrt(diag(as.matrix(clubSandwich::vcovCR(O2, cluster = hsb$school, type = 'CR2'))))")
add("ols.CR2_df", "clubSandwich::coef_test(O2, vcov = 'CR2', cluster = hsb$school)$df_Satt")
add("fe.ses", "unname(c(coef(FE)['ses'], sqrt(vcov(FE)['ses', 'ses'])))",
    "the fixed-effects slope is the within slope of H2")
add("ols_ses.coef", "coef(OS)")
add("ols_ses.se", "sqrt(diag(vcov(OS)))")
add("ols_ses.CR1S",
    "sqrt(diag(as.matrix(clubSandwich::vcovCR(OS, cluster = hsb$school, type = 'CR1S'))))")

# ---- more cluster-robust errors, profile intervals, is psi zero? --------------------------------
define({
  source("tests/reference/likelihood.R")
  wb <- lm(math ~ cses + mses, hsb)
  H2b <- lmer(math ~ cses + mses + (1 | school), hsb)     # H2 without lmerTest
})
add("wb.coef", "coef(wb)", "least squares on ses within and between schools")
add("wb.se", "sqrt(diag(vcov(wb)))", "as if the pupils were independent")
add("wb.s2", "sigma(wb)^2")
for (m in c("cp", "wb")) {
  for (type in if (m == "cp") "CR3" else c("CR0", "CR1", "CR2", "CR3")) {
    add(paste0(m, ".", type), sprintf(
      "sqrt(diag(as.matrix(clubSandwich::vcovCR(%s, cluster = hsb$school, type = '%s'))))", m, type
    ))
  }
  add(paste0(m, ".CR2_df"),
      sprintf(paste("clubSandwich::coef_test(%s, vcov = 'CR2', cluster = hsb$school,",
                    "test = 'Satterthwaite')$df_Satt"), m))
}
more <- list(
  H0 = c(fit = "H0", formula = "math ~ 1", ols = "cp"),
  H2 = c(fit = "H2b", formula = "math ~ cses + mses", ols = "wb")
)
for (m in names(more)) {
  fit <- more[[m]][["fit"]]
  ols <- more[[m]][["ols"]]
  add(paste0(m, ".ci_profile"), sprintf("lme4_profile(%s)", fit),
      "lower, upper of the sd between schools, of sigma, and of each fixed effect")
  add(paste0(m, ".ci_profile_exact"),
      sprintf("exact_profile(%s, hsb, hsb$school)", more[[m]][["formula"]]))
  add(paste0(m, ".reml_lrt"), sprintf("lrt_psi(%s, %s)", fit, ols), "of psi = 0")
  add(paste0(m, ".reml_lrt_p"), sprintf("p_psi(%s, %s)", fit, ols))
}

meta <- c(
  source = "helpers/data/hsb.csv",
  versions(c("lme4", "lmerTest", "clubSandwich"))
)
save_reference("hsb", meta)
