# Reference values for the radon models of Gelman & Hill (2007), chapter 12: 919 Minnesota homes in
# 85 counties. Writes radon.json beside this script: Rscript tests/reference/radon.R

# The repository root, wherever the script is started from (Rscript writes "~+~" for a space).
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages(library(lme4))

# ---- the data -----------------------------------------------------------------------------------
# Counties are numbered in the order in which the file first names them. The book's outcome is the
# log of radon, with log 0.1 for the three homes that measured zero.
define({
  radon <- read.csv("helpers/data/radon.csv")
  y <- log(ifelse(radon$radon == 0, .1, radon$radon))
  x <- radon$floor
  u <- radon$log_uranium
  county <- factor(radon$county, levels = unique(radon$county))
  nj <- as.integer(table(county))
  uj <- tapply(u, county, function(v) v[1])
})
add("data.n_obs", "nrow(radon)")
add("data.n_county", "nlevels(county)")
add("data.n_zero", "sum(radon$radon == 0)", "homes with a measurement of 0.0")
add("data.nj", "nj")
add("data.counties", "levels(county)", "the order of every vector with one value for each county")
add("data.nj_min_max", "range(nj)")
add("data.nj_table", "c(table(nj))")
add("data.n_singleton", "sum(nj == 1)")
add("data.n_le5", "sum(nj <= 5)")
add("data.prop_floor", "mean(x)")
add("data.sum_y", "sum(y)")
add("data.mean_y_gh", "mean(y)")
add("data.mean_y_plus01", "mean(log(radon$radon + .1))")
add("data.idx26", "levels(county)[26]")
add("data.idx36", "levels(county)[36]")
add("data.n_county_no_floor_variation",
    "sum(tapply(x, county, function(v) length(unique(v))) == 1)",
    "counties whose homes are all basement or all first floor")
add("data.u_county", "unname(c(uj))")

# ---- complete pooling and no pooling ------------------------------------------------------------
define({
  lm0 <- lm(y ~ 1)
  lm1 <- lm(y ~ x)
  lm2 <- lm(y ~ x + u)
  np0 <- lm(y ~ county - 1)
  np1 <- lm(y ~ x + county - 1)
  cv <- tapply(y, county, var)
})
for (m in c("lm0", "lm1", "lm2")) {
  add(paste0(m, ".coef"), sprintf("coef(%s)", m))
  add(paste0(m, ".se"), sprintf("sqrt(diag(vcov(%s)))", m))
  add(paste0(m, ".sigma"), sprintf("sigma(%s)", m))
}
add("np0.est", "unname(coef(np0))", "no-pooling county means")
add("np0.se", "unname(sqrt(diag(vcov(np0))))", "pooled sigma/sqrt(n_j)")
add("np0.sigma", "sigma(np0)")
add("np1.est", "unname(coef(np1)[-1])")
add("np1.se", "unname(sqrt(diag(vcov(np1)))[-1])")
add("np1.floor", "unname(coef(np1)['x'])")
add("np1.floor_se", "unname(sqrt(vcov(np1)['x', 'x']))")
add("np1.sigma", "sigma(np1)")
add("fig12_1.gh_mean_sd", "mean(sqrt(cv[!is.na(cv)]))",
    "the book's code for Fig. 12.1a takes the MEAN of the within-county SDs, not the pooled sigma")
add("fig12_1.gh_se", "mean(sqrt(cv[!is.na(cv)])) / sqrt(nj)")
add("fig12_1.separate_se", "unname(sqrt(cv / nj))",
    "separate sd_j/sqrt(n_j); null for counties with a single home")

# ---- partial pooling: M0 no predictor, M1 floor, M2 floor and uranium ---------------------------
define({
  M0 <- lmer(y ~ 1 + (1 | county))
  M1 <- lmer(y ~ x + (1 | county))
  M2 <- lmer(y ~ x + u + (1 | county))
})
for (m in c("M0", "M1", "M2")) {
  add(paste0(m, ".fixef"), sprintf("fixef(%s)", m))
  add(paste0(m, ".se"), sprintf("sqrt(diag(as.matrix(vcov(%s))))", m))
  add(paste0(m, ".sd_county"), sprintf("as.data.frame(VarCorr(%s))$sdcor[1]", m))
  add(paste0(m, ".sigma"), sprintf("sigma(%s)", m))
  add(paste0(m, ".var_county"), sprintf("as.data.frame(VarCorr(%s))$vcov[1]", m))
  add(paste0(m, ".var_resid"), sprintf("sigma(%s)^2", m))
  add(paste0(m, ".REMLcrit"), sprintf("REMLcrit(%s)", m))
  add(paste0(m, ".AIC"), sprintf("AIC(%s)", m))
  add(paste0(m, ".deviance_ML"), sprintf("deviance(refitML(%s))", m))
  add(paste0(m, ".vcov"), sprintf("as.numeric(as.matrix(vcov(%s)))", m))
  add(paste0(m, ".icc"),
      sprintf("as.data.frame(VarCorr(%s))$vcov[1] / sum(as.data.frame(VarCorr(%s))$vcov)", m, m))
  add(paste0(m, ".ranef"), sprintf("ranef(%s)$county[, 1]", m))
  add(paste0(m, ".se_ranef"),
      sprintf("sqrt(as.numeric(attr(ranef(%s, condVar = TRUE)$county, 'postVar')))", m),
      "what se.ranef of package arm gives: conditional on the estimates")
  add(paste0(m, ".coef_intercept"), sprintf("coef(%s)$county[, 1]", m))
  add(paste0(m, ".ml_fixef"), sprintf("fixef(refitML(%s))", m))
  add(paste0(m, ".ml_se"), sprintf("sqrt(diag(as.matrix(vcov(refitML(%s)))))", m))
  add(paste0(m, ".ml_sds"), sprintf("as.data.frame(VarCorr(refitML(%s)))$sdcor", m))
}

# ---- what the book prints in section 12.4 and after ---------------------------------------------
define({
  v0 <- as.data.frame(VarCorr(M0))$vcov     # variance between counties, variance within
  v1 <- as.data.frame(VarCorr(M1))$vcov
  v2 <- as.data.frame(VarCorr(M2))$vcov
  se_ranef1 <- sqrt(as.numeric(attr(ranef(M1, condVar = TRUE)$county, "postVar")))
})
add("book.slope_ci", "unname(fixef(M1)['x'] + c(-2, 2) * sqrt(vcov(M1)['x', 'x']))",
    "interval for the floor effect in the style of p. 261")
add("book.county26_ci", "coef(M1)$county[26, 1] + c(-2, 2) * se_ranef1[26]",
    "p. 261: intercept of county 26, +-2 se.ranef (leaves out that of the fixed effects)")
add("book.county26_err_ci", "ranef(M1)$county[26, 1] + c(-2, 2) * se_ranef1[26]")
add("book.ratio_sigma2", "v1[1] / v1[2]",
    "variance ratio; the book: variation between counties is worth about 5 observations")
add("book.equiv_n", "v1[2] / v1[1]",
    "observations in a county with as much information as the distribution of counties (about 5)")
add("book.equiv_n_M2", "v2[2] / v2[1]")
add("book.icc_M1", "v1[1] / sum(v1)")

# ---- county intercepts with the uncertainty of the fixed effects --------------------------------
# henderson() gives the inverse of Henderson's mixed-model matrix: the joint covariance of the
# errors of the fixed and the predicted county effects, for given variances.
define({
  henderson <- function(m) {
    X <- getME(m, "X")
    Z <- as.matrix(getME(m, "Z"))
    v <- as.data.frame(VarCorr(m))$vcov
    solve(rbind(
      cbind(crossprod(X), crossprod(X, Z)),
      cbind(crossprod(Z, X), crossprod(Z) + diag(ncol(Z)) * v[2] / v[1])
    )) * v[2]
  }
  C0 <- henderson(M0)
  C1 <- henderson(M1)
  C2 <- henderson(M2)
  select2 <- cbind(1, 0, uj, diag(85))     # county j: g0 + g1 * u_j + eta_j
})
add("M0.se_county_mean_full",
    "sapply(1:85, function(j) sqrt(C0[1, 1] + C0[1 + j, 1 + j] + 2 * C0[1, 1 + j]))",
    "SE of beta + u_j with the intercept's uncertainty (Henderson's C)")
add("M1.se_county_intercept_full",
    "sapply(1:85, function(j) sqrt(C1[1, 1] + C1[2 + j, 2 + j] + 2 * C1[1, 2 + j]))")
add("M2.se_county_intercept_full", "unname(sqrt(diag(select2 %*% C2 %*% t(select2))))",
    "g0 + g1*u_j + eta_j")
add("M2.county_intercept",
    "unname(fixef(M2)[1] + fixef(M2)[3] * c(uj) + ranef(M2)$county[, 1])")

# ---- shrinkage and the closed form of generalised least squares ---------------------------------
define({
  ybar <- tapply(y, county, mean)
  gh <- (nj / v0[2] * ybar + mean(y) / v0[1]) / (nj / v0[2] + 1 / v0[1])
  w <- 1 / (v0[1] + v0[2] / nj)
})
add("M0.shrink", "nj * v0[1] / (nj * v0[1] + v0[2])")
add("M0.gh_eq12_1", "unname(c(gh))",
    paste("the book's eq. 12.1 with the complete-pooling mean as y-bar_all: differs slightly from",
          "coef(M0), which shrinks to the GLS mean"))
add("M0.gh_eq12_1_maxdiff", "max(abs(gh - coef(M0)$county[, 1]))")
add("M0.gls_check", "c(sum(w * ybar) / sum(w), 1 / sqrt(sum(w)))",
    "GLS closed form for the estimate and SE of M0")
add("M0.est_complete_pooling_vs_gls_vs_unweighted",
    "c(mean(y), unname(fixef(M0)), mean(tapply(y, county, mean)))", "three 'overall means'")

# ---- degrees of freedom and profile intervals ---------------------------------------------------
define({
  M0T <- lmerTest::lmer(y ~ 1 + (1 | county))
  M1T <- lmerTest::lmer(y ~ x + (1 | county))
  M2T <- lmerTest::lmer(y ~ x + u + (1 | county))
})
for (m in c("M0", "M1", "M2")) {
  add(paste0(m, ".satterthwaite_df"), sprintf("summary(%sT)$coef[, 'df']", m))
  add(paste0(m, ".kr_df"), sprintf("summary(%sT, ddf = 'Kenward-Roger')$coef[, 'df']", m))
  add(paste0(m, ".kr_se"), sprintf("summary(%sT, ddf = 'Kenward-Roger')$coef[, 'Std. Error']", m))
  add(paste0(m, ".ci_profile"), sprintf("t(confint(profile(%s, signames = FALSE)))", m),
      "lower, upper of sd_county, of sigma, and of each fixed effect")
}

# ---- cluster-robust standard errors -------------------------------------------------------------
for (m in c("lm0", "lm1", "lm2")) {
  for (type in c("CR0", "CR1", "CR1S", "CR2")) {
    add(paste0(m, ".", type),
        sprintf("sqrt(diag(as.matrix(clubSandwich::vcovCR(%s, cluster = county, type = '%s'))))",
                m, type))
  }
  add(paste0(m, ".CR2_df"),
      sprintf("clubSandwich::coef_test(%s, vcov = 'CR2', cluster = county)$df_Satt", m))
}
for (m in c("M0", "M1", "M2")) {
  add(paste0(m, ".CR2"),
      sprintf("sqrt(diag(as.matrix(clubSandwich::vcovCR(%s, type = 'CR2'))))", m))
}

# ---- more of the same: CR3, exact profile intervals, the variances' own errors, is psi zero? ----
define({
  source("tests/reference/likelihood.R")
  homes <- data.frame(y, x, u)
})
for (m in c("lm0", "lm1", "lm2")) {
  add(paste0(m, ".CR3"),
      sprintf("sqrt(diag(as.matrix(clubSandwich::vcovCR(%s, cluster = county, type = 'CR3'))))", m))
}
right_sides <- c("1", "x", "x + u")
for (k in 0:2) {
  add(sprintf("M%d.ci_profile_exact", k),
      sprintf("exact_profile(y ~ %s, homes, county)", right_sides[k + 1]),
      "in the order of ci_profile, without lme4's interpolation")
  add(sprintf("M%d.se_variances", k), sprintf("unname(se_variances_of(M%d))", k),
      "of psi, of theta: expected REML information, at lme4's estimates")
  add(sprintf("M%d.reml_lrt", k), sprintf("lrt_psi(M%d, lm%d)", k, k), "of psi = 0")
  add(sprintf("M%d.reml_lrt_p", k), sprintf("p_psi(M%d, lm%d)", k, k))
}

# ---- the floor effect within and between counties -----------------------------------------------
define({
  xm <- ave(x, county)
  MB <- lmer(y ~ I(x - xm) + xm + (1 | county))
  MU <- lmer(y ~ x + xm + (1 | county))
})
add("within_between.fixef", "fixef(MB)")
add("within_between.se", "sqrt(diag(as.matrix(vcov(MB))))")
add("within_between.fe_slope", "c(coef(np1)['x'], sqrt(vcov(np1)['x', 'x']))",
    "the within slope is the no-pooling (fixed-effects) slope; its SE nearly so")
add("mundlak.fixef", "fixef(MU)")
add("mundlak.se", "sqrt(diag(as.matrix(vcov(MU))))",
    "the coefficient of xm is between - within (contextual)")

# ---- how much least squares understates ---------------------------------------------------------
# moulton() is the exact factor on the variance of the slope of a lone predictor z.
define({
  moulton <- function(z, rho) {
    zc <- z - mean(z)
    totals <- tapply(zc, county, sum)
    1 + rho * (sum(totals^2) / sum(zc^2) - 1)
  }
  V <- outer(county, county, "==") * v2[1] + diag(919) * v2[2]
  X <- cbind(1, x, u)
  A <- solve(crossprod(X))
})
add("moulton.u", "moulton(u, v2[1] / sum(v2))",
    "variance factor for the OLS slope on log_uranium alone at the ICC of M2")
add("moulton.x", "moulton(x, v1[1] / sum(v1))")
add("lm2.moulton_naive_vs_model_se", "sqrt(diag(A %*% t(X) %*% V %*% X %*% A))",
    "true SEs of OLS (intercept, floor, log_uranium) under the variances of M2")

# ---- predictions (section 12.8) -----------------------------------------------------------------
add("pred12_8.county26_point",
    "unname(coef(M2)$county[26, 1] + coef(M2)$county[26, 3] * uj[26] + fixef(M2)[2])",
    "new home in county 26, floor = 1: mean on the log scale")
add("pred12_8.newcounty_point",
    "unname(fixef(M2)[1] + fixef(M2)[3] * mean(uj) + fixef(M2)[2])",
    "new county with average u (unweighted mean over the 85 counties), floor = 1")
add("pred12_8.newhouse_sd", "sqrt(sigma(M2)^2)")
add("pred12_8.newcounty_sd", "sqrt(sum(v2))")

# ---- other treatments of the three zeros --------------------------------------------------------
# log(radon + 0.1) is what rstanarm's data and the PyMC and Stan case studies use.
define({
  yr <- log(radon$radon + .1)
  A0 <- lmer(yr ~ 1 + (1 | county))
  A1 <- lmer(yr ~ x + (1 | county))
  A2 <- lmer(yr ~ x + u + (1 | county))
  k <- radon$radon > 0
  D1 <- lmer(y[k] ~ x[k] + (1 | county[k]))
})
for (m in c("A0", "A1", "A2")) {
  add(paste0("plus01.", m, ".fixef"), sprintf("fixef(%s)", m))
  add(paste0("plus01.", m, ".se"), sprintf("sqrt(diag(as.matrix(vcov(%s))))", m))
  add(paste0("plus01.", m, ".sds"), sprintf("as.data.frame(VarCorr(%s))$sdcor", m))
}
add("dropzeros.M1.fixef", "unname(fixef(D1))")
add("dropzeros.M1.se", "unname(sqrt(diag(as.matrix(vcov(D1)))))")
add("dropzeros.M1.sds", "as.data.frame(VarCorr(D1))$sdcor")

# ---- does this reproduce the book? --------------------------------------------------------------
book <- list(
  M0 = list(est = 1.31, se = .05, sd_county = .31, sigma = .80),
  M1 = list(est = c(1.46, -.69), se = c(.05, .07), sd_county = .33, sigma = .76),
  M2 = list(est = c(1.47, -.67, .72), se = c(.04, .07, .09), sd_county = .16, sigma = .76)
)
reproduced <- function(model, printed) {
  all(
    round(fixef(model), 2) == printed$est,
    round(sqrt(diag(as.matrix(vcov(model)))), 2) == printed$se,
    round(as.data.frame(VarCorr(model))$sdcor[1], 2) == printed$sd_county,
    round(sigma(model), 2) == printed$sigma
  )
}
as_in_book <- Map(reproduced, list(M0 = M0, M1 = M1, M2 = M2), book)
stopifnot(unlist(as_in_book))

meta <- c(
  source = "helpers/data/radon.csv",
  versions(c("lme4", "lmerTest", "pbkrtest", "clubSandwich")),
  list(book_values = book, book_values_reproduced = as_in_book)
)
save_reference("radon", meta)
