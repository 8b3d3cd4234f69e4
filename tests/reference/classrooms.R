# Reference values for the question's own example: 20 classrooms of 10 pupils.
# Writes classrooms.json and classrooms.csv beside this script: Rscript tests/reference/classrooms.R

# The repository root, wherever the script is started from (Rscript writes "~+~" for a space).
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages(library(lme4))

# ---- the data, exactly as in the question -------------------------------------------------------
define({
  set.seed(0)
  groups <- gl(20, 10)
  design <- model.matrix(~ groups - 1)
  U0j <- rnorm(20, 0, 20)
  eij <- rnorm(length(groups), 0, 30)
  y <- as.numeric(1629 + design %*% U0j + eij)
  df <- data.frame(y = y, groups = groups)
  J <- 20
  n <- 10
  N <- 200
})
add("data.y", "y")
add("data.U0j", "U0j")
add("data.sum_y", "sum(y)")
add("data.grand_mean", "mean(y)")
add("data.class_means", "tapply(y, groups, mean)")
add("data.class_sds", "tapply(y, groups, sd)")
add("data.sd_U0j", "sd(U0j)", "realised SD of the 20 drawn class effects (nominal 20)")
add("data.sd_eij", "sd(eij)", "realised (nominal 30)")
add("data.mean_U0j", "mean(U0j)")
add("data.mean_eij", "mean(eij)")

# 17 digits, so that the file holds the doubles that R drew.
exactly <- function(x) sprintf("%.17g", x)
classrooms <- data.frame(
  classroom = as.integer(groups),
  score = exactly(y),
  effect = exactly(U0j[groups]),
  error = exactly(eij)
)
csv <- file("tests/reference/classrooms.csv", open = "wb")
write.csv(classrooms, csv, row.names = FALSE, quote = FALSE)
close(csv)

# ---- analysis of variance -----------------------------------------------------------------------
# theta and psi, the variances within and between classes, are the ANOVA estimates: with balanced
# data and MSB > MSW they are the REML estimates, free of any optimiser's error.
define({
  a <- anova(lm(y ~ groups, df))
  SSB <- a[1, "Sum Sq"]
  SSW <- a[2, "Sum Sq"]
  MSB <- a[1, "Mean Sq"]
  MSW <- a[2, "Mean Sq"]
  Fst <- a[1, "F value"]
  theta <- MSW
  psi <- (MSB - MSW) / n
  icc <- psi / (psi + theta)
  lam <- n * psi / (n * psi + theta)
})
add("anova.SSB", "a[1, 'Sum Sq']")
add("anova.SSW", "a[2, 'Sum Sq']")
add("anova.SST", "sum((y - mean(y))^2)")
add("anova.MSB", "a[1, 'Mean Sq']")
add("anova.MSW", "a[2, 'Mean Sq']")
add("anova.F", "a[1, 'F value']")
add("anova.p", "a[1, 'Pr(>F)']")
add("anova.theta", "MSW", "= theta-hat (REML, exact)")
add("anova.psi", "(MSB - MSW) / n", "= psi-hat (REML, exact, when MSB > MSW)")

# ---- complete pooling: one mean, classes ignored ------------------------------------------------
define({
  cp <- lm(y ~ 1, df)
})
add("cp.estimate", "coef(cp)")
add("cp.se", "sqrt(diag(vcov(cp)))")
add("cp.sigma", "sigma(cp)")
add("cp.df", "df.residual(cp)")
add("cp.t", "summary(cp)$coef[1, 't value']")
add("cp.resid_quantiles", "quantile(resid(cp))")
add("cp.ci", "confint(cp)[1, ]")

# ---- no pooling: one mean for each class --------------------------------------------------------
define({
  np <- lm(y ~ groups - 1, df)
  cvec <- rep(1 / J, J)
})
add("np.estimates", "coef(np)")
add("np.se_class_mean", "unname(sqrt(diag(vcov(np)))[1])",
    "sqrt(theta/n): SE of ONE class mean (the question prints 8.864905)")
add("np.sigma", "sigma(np)")
add("np.df", "df.residual(np)")
add("np.se_grand_mean", "as.numeric(sqrt(t(cvec) %*% vcov(np) %*% cvec))",
    "sqrt(theta/(Jn)): SE of the mean of the 20 fixed class means = the answer's NoPool formula")
add("np.se_difference", "sqrt(vcov(np)[1, 1] + vcov(np)[2, 2])",
    "SE of the difference of two class means, pooled sigma")
add("np.se_class_mean_unpooled_sigma", "tapply(y, groups, function(v) sd(v) / sqrt(length(v)))",
    "20 separate sd_j/sqrt(n_j)")
add("np.treatment_intercept_se", "unname(sqrt(vcov(lm(y ~ groups, df))[1, 1]))",
    "lm(y ~ groups): the intercept is class 1, its SE again sqrt(theta/n)")
add("np.sumcoded_intercept_se",
    "unname(sqrt(vcov(lm(y ~ groups, df, contrasts = list(groups = 'contr.sum')))[1, 1]))",
    "contr.sum: the intercept is the unweighted mean of the class means: sqrt(theta/(Jn))")

# ---- partial pooling by REML --------------------------------------------------------------------
define({
  pp <- lmer(y ~ 1 + (1 | groups), df)
  pplme <- nlme::lme(y ~ 1, random = ~ 1 | groups, data = df, method = "REML")
})
add("pp.estimate", "fixef(pp)")
add("pp.se", "unname(sqrt(diag(as.matrix(vcov(pp)))))")
add("pp.t", "summary(pp)$coef[1, 't value']")
add("pp.se_exact", "sqrt(MSB / (J * n))", "closed form; lme4's optimiser agrees to about 1e-9")
add("pp.REMLcrit", "REMLcrit(pp)")
add("pp.logLik", "as.numeric(logLik(pp))")
add("pp.AIC", "AIC(pp)")
add("pp.psi_lme4", "as.data.frame(VarCorr(pp))$vcov[1]")
add("pp.theta_lme4", "as.data.frame(VarCorr(pp))$vcov[2]")
add("pp.sd_psi_lme4", "as.data.frame(VarCorr(pp))$sdcor[1]")
add("pp.sd_theta_lme4", "as.data.frame(VarCorr(pp))$sdcor[2]")
add("pp.theta_par", "unname(getME(pp, 'theta'))", "lme4's relative SD sqrt(psi/theta)")
add("pp.scaled_resid_quantiles", "quantile(resid(pp, scaled = TRUE))")
add("pp.nlme_se", "unname(sqrt(pplme$varFix[1, 1]))", "nlme::lme")
add("pp.nlme_df", "unname(pplme$fixDF$X)",
    "nlme's containment df is N-J = 180, NOT 19: differs from Satterthwaite and Kenward-Roger")

# ---- partial pooling by maximum likelihood ------------------------------------------------------
define({
  ml <- lmer(y ~ 1 + (1 | groups), df, REML = FALSE)
})
add("ml.se", "unname(sqrt(diag(as.matrix(vcov(ml)))))")
add("ml.psi", "as.data.frame(VarCorr(ml))$vcov[1]")
add("ml.theta", "as.data.frame(VarCorr(ml))$vcov[2]")
add("ml.logLik", "as.numeric(logLik(ml))")
add("ml.deviance", "deviance(ml)")
add("ml.psi_exact", "((J - 1) / J * MSB - MSW) / n")
add("ml.se_exact", "sqrt((J - 1) / J * MSB / (J * n))", "= REML SE * sqrt((J-1)/J) exactly")
add("ml.AIC", "AIC(ml)")

# ---- intraclass correlation, design effect, shrinkage, and the answer's formulas ----------------
add("icc", "icc")
add("shrink.lambda", "lam", "n psi/(n psi + theta)")
add("shrink.one_minus_1_over_F", "1 - 1 / Fst",
    "identical to lambda-hat in the balanced REML case")
add("shrink.JS_factor", "1 - (J - 3) / (J - 1) / Fst",
    "James-Stein factor (mean estimated), sigma^2 estimated by MSW without the df correction")
add("deff", "1 + (n - 1) * icc")
add("n_eff", "N / (1 + (n - 1) * icc)")
add("se.formula_OLS", "sqrt((psi + theta) / N)",
    "the answer's OLS formula; lm gives 2.3828 because E[s2] = theta + psi*n(J-1)/(Jn-1)")
add("se.formula_Mixed", "sqrt((psi + theta / n) / J)")
add("se.formula_NoPool", "sqrt(theta / N)")
add("se.formula_NoPool_class", "sqrt(theta / n)")
add("se.ratio_mixed_over_OLSformula", "sqrt((psi + theta / n) / J) / sqrt((psi + theta) / N)",
    "= sqrt(deff) exactly")
add("se.Es2_weight", "n * (J - 1) / (J * n - 1)", "weight on psi in E[s2] of complete pooling")
add("se.s2_identity", "theta + psi * n * (J - 1) / (J * n - 1)",
    "= sigma(cp)^2 exactly with the ANOVA estimates")
add("se.s2_cp", "sigma(cp)^2")
add("se.true_params_OLSnaive", "sqrt((400 + 900) / 200)", "with the true SDs 20 and 30")
add("se.true_params_Mixed", "sqrt((400 + 90) / 20)")
add("se.true_params_grand_fixed", "sqrt(900 / 200)")
add("se.true_params_class", "sqrt(900 / 10)")
add("se.true_icc", "400 / 1300")

# The 20 classes as a sample from K of them.
for (K in c(20, 25, 40, 100, 1000)) {
  add(sprintf("fpc.K%d", K), sprintf("sqrt((1 - J / %d) * psi / J + theta / (J * n))", K),
      "J of K classes sampled: K = J gives the NoPool formula, K -> Inf the Mixed formula")
}

# ---- intervals and degrees of freedom -----------------------------------------------------------
define({
  ci <- confint(profile(pp, signames = FALSE))
  ppT <- lmerTest::lmer(y ~ 1 + (1 | groups), df)
})
add("ci.wald_z", "as.numeric(confint(pp, parm = '(Intercept)', method = 'Wald'))")
add("ci.profile_intercept", "as.numeric(ci['(Intercept)', ])",
    "profiles the ML deviance, not REML")
add("ci.profile_sd_groups", "as.numeric(ci[1, ])")
add("ci.profile_sigma", "as.numeric(ci['sigma', ])")
add("ci.t19", "mean(y) + c(-1, 1) * qt(.975, 19) * sqrt(MSB / N)",
    "exact t interval on the 20 class means")
add("ci.ttest_class_means", "as.numeric(t.test(tapply(y, groups, mean))$conf.int)",
    "identical: t.test on the 20 class means")
add("ci.ttest_se", "as.numeric(t.test(tapply(y, groups, mean))$stderr)")
add("df.satterthwaite", "summary(ppT)$coef[1, 'df']")
add("df.kenward_roger", "summary(ppT, ddf = 'Kenward-Roger')$coef[1, 'df']")
add("se.kenward_roger", "summary(ppT, ddf = 'Kenward-Roger')$coef[1, 'Std. Error']")
add("df.pbkrtest_vcovAdj_se", "sqrt(as.numeric(as.matrix(pbkrtest::vcovAdj(pp))))",
    "an SE in spite of its id")

# ---- uncertainty of the variances ---------------------------------------------------------------
define({
  FL <- Fst / qf(.975, J - 1, J * (n - 1))
  FU <- Fst / qf(.025, J - 1, J * (n - 1))
})
add("vc.se_theta", "MSW * sqrt(2 / (J * (n - 1)))", "normal theory")
add("vc.se_psi", "sqrt(2 / n^2 * (MSB^2 / (J - 1) + MSW^2 / (J * (n - 1))))",
    "normal theory, plug-in; also what the observed REML information gives")
add("vc.theta_ci_chisq", "J * (n - 1) * MSW / qchisq(c(.975, .025), J * (n - 1))")
add("icc.ci_F_exact", "c((FL - 1) / (FL + n - 1), (FU - 1) / (FU + n - 1))",
    "exact F interval, Searle / Shrout & Fleiss ICC(1)")
add("icc.se_delta_smith",
    "sqrt(2 * (1 - icc)^2 * (1 + (n - 1) * icc)^2 / (n * (n - 1) * (J - 1)))",
    "Fisher/Donner large-sample SE")
add("lambda.ci_F_exact", "c(1 - 1 / FL, 1 - 1 / FU)", "exact CI for the shrinkage factor")

# ---- is psi zero? -------------------------------------------------------------------------------
add("lrt.REML", "as.numeric(2 * (logLik(pp, REML = TRUE) - logLik(cp, REML = TRUE)))")
add("lrt.ML", "as.numeric(2 * (logLik(ml) - logLik(cp)))")
add("lrt.p_half_chisq_REML",
    paste("0.5 * pchisq(as.numeric(2 * (logLik(pp, REML = TRUE) - logLik(cp, REML = TRUE))),",
          "1, lower.tail = FALSE)"))

# ---- class effects and their standard errors ----------------------------------------------------
# C is the inverse of Henderson's mixed-model matrix: the joint covariance of the errors of
# beta-hat and of the 20 predicted effects, for given psi and theta.
define({
  re <- ranef(pp, condVar = TRUE)
  Vb <- MSB / (J * n)
  X <- matrix(1, N, 1)
  Z <- design
  C <- solve(rbind(
    cbind(t(X) %*% X, t(X) %*% Z),
    cbind(t(Z) %*% X, t(Z) %*% Z + diag(J) * theta / psi)
  ) / theta)
  z95 <- qnorm(.975)
})
add("re.ranef", "re$groups[, 1]")
add("re.se_cond_lme4", "sqrt(attr(re$groups, 'postVar')[1, 1, 1])",
    "lme4 condVar: sqrt(psi(1-lambda)); treats beta, psi, theta as known")
add("re.se_cond_formula", "sqrt(psi * (1 - lam))")
add("re.se_arm", "sqrt(attr(ranef(pp, condVar = TRUE)$groups, 'postVar')[1, 1, 1])",
    "what se.ranef of package arm gives")
add("re.coef", "coef(pp)$groups[, 1]", "partially pooled class means")
add("re.shrink_check", "cor(tapply(y, groups, mean) - mean(y), re$groups[, 1])")
add("re.se_u_pred_error", "sqrt(psi * (1 - lam) + lam^2 * Vb)",
    "SD of (u-hat - u), intercept estimated (u block of Henderson's C)")
add("re.se_classmean_pred_error", "sqrt(psi * (1 - lam) + (1 - lam)^2 * Vb)",
    "SD of (beta-hat + u-hat) - (beta + u): the SE of a partially pooled class mean")
add("re.henderson_beta_se", "sqrt(C[1, 1])")
add("re.henderson_u_se", "sqrt(C[2, 2])")
add("re.henderson_classmean_se", "sqrt(C[1, 1] + C[2, 2] + 2 * C[1, 2])")
add("re.henderson_cov_beta_u", "C[1, 2]", "= -lambda*Var(beta-hat)")
add("re.naive_sum_se", "sqrt(psi * (1 - lam) + Vb)",
    "WRONG but common: sqrt(se.ranef^2 + se.fixef^2) ignores the negative covariance")
add("re.se_difference", "sqrt(2 * psi * (1 - lam))", "SE of the difference u_i - u_j: beta cancels")
add("re.henderson_diff_se", "sqrt(C[2, 2] + C[3, 3] - 2 * C[2, 3])")
add("re.ratio_partial_to_nopool", "sqrt(psi * (1 - lam)) / sqrt(theta / n)",
    "= sqrt(lambda) exactly")
add("re.sqrt_lambda", "sqrt(lam)")
add("re.se_newclass_mean", "sqrt(psi + Vb)", "prediction SE for the mean of a NEW class")
add("re.se_newstudent", "sqrt(psi + theta + Vb)", "prediction SE for a pupil in a new class")
add("re.se_newstudent_oldclass", "sqrt(theta + psi * (1 - lam) + (1 - lam)^2 * Vb)")
add("re.sampling_sd_given_u", "lam * sqrt(theta / n)",
    paste("SD of lambda*ybar_j over new pupils, u and beta fixed: smaller than the posterior SD,",
          "since it leaves out the bias (1-lambda)u_j"))
add("re.rmse_equal", "sqrt(lam^2 * theta / n + (1 - lam)^2 * psi)",
    "sampling variance + average squared bias = psi(1-lambda): the same number")
add("re.sd_uhat", "sd(re$groups[, 1])")
add("re.sd_classmeans", "sd(tapply(y, groups, mean))", "sqrt(psi + theta/n)")
add("re.sqrt_lam_psi", "sqrt(lam * psi)", "SD the predicted effects should show; < sqrt(psi)")
add("re.true_rmse_nopool", "sqrt(mean((tapply(y, groups, mean) - (1629 + U0j))^2))",
    "realised RMSE of the no-pooling class means against the true 1629 + U0j")
add("re.true_rmse_partial", "sqrt(mean((coef(pp)$groups[, 1] - (1629 + U0j))^2))")
add("re.true_rmse_complete", "sqrt(mean((mean(y) - (1629 + U0j))^2))")
add("re.coverage_partial",
    paste("sum(abs(coef(pp)$groups[, 1] - (1629 + U0j)) <",
          "z95 * sqrt(psi * (1 - lam) + (1 - lam)^2 * Vb))"),
    "how many of the 20 true class means lie inside +-1.96 SE")
add("re.coverage_nopool",
    "sum(abs(tapply(y, groups, mean) - (1629 + U0j)) < z95 * sqrt(theta / n))")

# ---- cluster-robust standard errors -------------------------------------------------------------
add("cr.HC0_cluster_nocadj",
    paste("sqrt(as.numeric(sandwich::vcovCL(cp, cluster = ~ groups, type = 'HC0',",
          "cadjust = FALSE)))"),
    "= CR0")
add("cr.HC1_cluster",
    "sqrt(as.numeric(sandwich::vcovCL(cp, cluster = ~ groups, type = 'HC1')))",
    "sandwich's default with cadjust: J/(J-1)*(N-1)/(N-k)")
for (type in c("CR0", "CR1", "CR1p", "CR1S", "CR2", "CR3")) {
  add(paste0("cr.", type),
      sprintf("sqrt(as.numeric(clubSandwich::vcovCR(cp, cluster = df$groups, type = '%s')))", type),
      "clubSandwich")
}
add("cr.CR0_formula", "sqrt(SSB / (n * J^2))", "= sqrt(sum(cluster-total residual^2))/N")
add("cr.CR1_formula", "sqrt(MSB / (J * n))",
    "J/(J-1) correction: identical to the mixed SE when balanced")
add("cr.CR3_formula", "sqrt((J / (J - 1))^2 * SSB / (n * J^2))")
add("cr.CR2_df", "clubSandwich::coef_test(cp, vcov = 'CR2', cluster = df$groups)$df_Satt")
add("cr.HC0_not_clustered", "sqrt(as.numeric(sandwich::vcovHC(cp, type = 'HC0')))",
    "heteroskedasticity-robust does NOT mend clustering")
add("cr.HC3_not_clustered", "sqrt(as.numeric(sandwich::vcovHC(cp, type = 'HC3')))")
add("cr.on_nopool_grand",
    paste("as.numeric(sqrt(t(cvec) %*%",
          "as.matrix(clubSandwich::vcovCR(np, cluster = df$groups, type = 'CR0')) %*% cvec))"),
    "residuals of the dummy model sum to 0 in each class: the SE is 0 (rounding), meaningless")
add("cr.mixed_CR2", "sqrt(as.numeric(clubSandwich::vcovCR(pp, type = 'CR2')))",
    "cluster-robust SE of the mixed model")
add("cr.mixed_CR0", "sqrt(as.numeric(clubSandwich::vcovCR(pp, type = 'CR0')))")

# ---- bootstrap: the exact values, as for infinitely many resamples ------------------------------
add("boot.iid_exact", "sqrt(sum((y - mean(y))^2)) / N", "resample pupils: complete pooling")
add("boot.cluster_exact", "sqrt(SSB / (n * J^2))",
    "resample whole classes: = CR0 = sqrt((J-1)/J) * mixed SE")
add("boot.stratified_exact", "sqrt(SSW) / N",
    "resample pupils within class: fixed classes, sqrt((n-1)/n) * NoPool")
add("boot.twostage_exact", "sqrt(SSB / (n * J^2) + SSW / N^2)",
    "classes, then pupils, with replacement: too big")

# ---- other designs ------------------------------------------------------------------------------
add("design.J40_n5", "sqrt((psi + theta / 5) / 40)", "same N = 200")
add("design.J10_n20", "sqrt((psi + theta / 20) / 10)")
add("design.J200_n1", "sqrt((psi + theta) / 200)")
add("design.floor_J20", "sqrt(psi / 20)", "n -> Inf with 20 classes: no SE below sqrt(psi/J)")
add("design.n_opt_cost10", "sqrt(10 * theta / psi)",
    "optimal n when a class costs as much as 10 pupils: sqrt((c2/c1)*theta/psi)")

# ---- where the question's 0.2443936 comes from --------------------------------------------------
define({
  hsb <- read.csv("helpers/data/hsb.csv")
})
add("claim.lower_bound", "sqrt(theta / N)",
    "the smallest of the answer's formulas: far above 0.244")
add("claim.hsb_se",
    "unname(sqrt(diag(as.matrix(vcov(lmer(math ~ 1 + (1 | school), hsb))))))",
    "THE SOURCE: High School & Beyond, null model (7185 students, 160 schools)")

# ---- unbalanced subsets of the same data --------------------------------------------------------
define({
  subset_rules <- list(
    balanced = list(sizes = rep(10, 20), rule = "all rows"),
    drop1 = list(sizes = c(9, rep(10, 19)), rule = "drop the last row of class 1"),
    sizes_1to10_twice = list(
      sizes = rep(1:10, 2),
      rule = "class j keeps its first ((j-1) %% 10)+1 rows"
    ),
    half_small = list(
      sizes = rep(c(2, 10), each = 10),
      rule = "classes 1-10 keep first 2 rows, 11-20 all 10"
    ),
    one_big = list(
      sizes = c(10, rep(1, 19)),
      rule = "class 1 keeps 10 rows, all other classes their first row"
    ),
    few_clusters5 = list(
      sizes = c(10, 8, 6, 4, 2, rep(0, 15)),
      rule = "only classes 1-5, with first 10,8,6,4,2 rows"
    )
  )
  keep_first <- function(sizes) droplevels(df[sequence(rep(10, 20)) <= rep(sizes, each = 10), ])
  # lme4 refuses by default where there are hardly more rows than classes.
  allow <- lmerControl(check.nobs.vs.nlev = "ignore", check.nobs.vs.nRE = "ignore")
})

# Every quantity of one subset: class j keeps its first sizes[j] rows.
describe_subset <- function(sizes, rule) {
  d <- keep_first(sizes)
  k <- sizes[sizes > 0]
  J <- length(k)
  N <- sum(k)
  ybar <- tapply(d$y, d$groups, mean)

  m <- lmerTest::lmer(y ~ 1 + (1 | groups), d, control = allow)
  m_lme4 <- lmer(y ~ 1 + (1 | groups), d, control = allow)     # the class clubSandwich knows
  m_ml <- update(m, REML = FALSE)
  psi <- as.data.frame(VarCorr(m))$vcov[1]
  theta <- as.data.frame(VarCorr(m))$vcov[2]
  w <- 1 / (psi + theta / k)
  kr <- suppressMessages(summary(m, ddf = "Kenward-Roger"))$coef

  cp <- lm(y ~ 1, d)
  a <- anova(lm(y ~ groups, d))
  cr <- function(model, type) {
    sqrt(as.numeric(clubSandwich::vcovCR(model, cluster = d$groups, type = type)))
  }
  n_harmonic <- 1 / mean(1 / k)
  n0 <- (N - sum(k^2) / N) / (J - 1)      # the n of the ANOVA estimator

  list(
    rule = rule,
    n_j = k,
    J = J,
    N = N,
    lmer_psi = psi,
    lmer_theta = theta,
    lmer_estimate = unname(fixef(m)),
    lmer_se = sqrt(as.numeric(as.matrix(vcov(m)))),
    singular = isSingular(m),
    gls_se_formula = 1 / sqrt(sum(w)),
    gls_estimate_formula = sum(w * ybar) / sum(w),
    REMLcrit = REMLcrit(m),
    cp_estimate = unname(coef(cp)),
    cp_se = sqrt(as.numeric(vcov(cp))),
    mean_of_class_means = mean(ybar),
    se_of_mean_of_means_model = sqrt(sum(psi + theta / k)) / J,
    se_of_mean_of_means_empirical = sd(ybar) / sqrt(J),
    true_se_of_grand_mean_under_model = sqrt(sum(k^2 * psi + k * theta)) / N,
    formula_with_mean_n = sqrt((psi + theta / mean(k)) / J),
    formula_with_harmonic_n = sqrt((psi + theta / n_harmonic) / J),
    formula_with_n0 = sqrt((psi + theta / n0) / J),
    n_mean = mean(k),
    n_harmonic = n_harmonic,
    n0 = n0,
    satterthwaite_df = summary(m)$coef[1, "df"],
    kr_se = kr[1, "Std. Error"],
    kr_df = kr[1, "df"],
    anova_MSB = a[1, "Mean Sq"],
    anova_MSW = a[2, "Mean Sq"],
    cr_CR0 = cr(cp, "CR0"),
    cr_CR1 = cr(cp, "CR1"),
    cr_CR2 = cr(cp, "CR2"),
    cr_CR2_df = clubSandwich::coef_test(cp, vcov = "CR2", cluster = d$groups)$df_Satt,
    mixed_CR2 = cr(m_lme4, "CR2"),
    ranef = ranef(m)$groups[, 1],
    cond_se = sqrt(as.numeric(attr(ranef(m, condVar = TRUE)$groups, "postVar"))),
    shrink_lambda_j = k * psi / (k * psi + theta),
    ml_se = sqrt(as.numeric(as.matrix(vcov(m_ml))))
  )
}
unbalanced <- lapply(subset_rules, function(s) describe_subset(s$sizes, s$rule))

# ---- a singular fit: class means made nearly equal, so that MSB < MSW ---------------------------
define({
  d0 <- within(df, y <- y - ave(y, groups) + 1629 + rep(rep(c(-1, 1), 10), each = 10))
  m0 <- suppressMessages(lmer(y ~ 1 + (1 | groups), d0))     # the message: it is singular
  a0 <- anova(lm(y ~ groups, d0))
})
singular <- list(
  command = paste(
    "d0 <- within(df, y <- y - ave(y, groups) + 1629 + rep(rep(c(-1, 1), 10), each = 10));",
    "lmer(y ~ 1 + (1 | groups), d0)"
  ),
  isSingular = isSingular(m0),
  psi = as.data.frame(VarCorr(m0))$vcov[1],
  theta = as.data.frame(VarCorr(m0))$vcov[2],
  se = sqrt(as.numeric(as.matrix(vcov(m0)))),
  cp_se = sqrt(as.numeric(vcov(lm(y ~ 1, d0)))),
  anova_MSB = a0[1, "Mean Sq"],
  anova_MSW = a0[2, "Mean Sq"],
  anova_psi_negative = (a0[1, "Mean Sq"] - a0[2, "Mean Sq"]) / 10,
  se_MSB_based = sqrt(a0[1, "Mean Sq"] / 200),
  note = paste(
    "at the boundary psi = 0 the mixed SE is the COMPLETE-pooling SE",
    "(not sqrt(MSB/N)), and theta becomes SST/(N-1)"
  )
)

# ---- cluster-robust errors, profile intervals and a test of psi = 0 in all of these -------------
define({
  source("tests/reference/likelihood.R")
  designs <- lapply(subset_rules, function(s) keep_first(s$sizes))
  mixed <- lapply(designs, function(d) lmer(y ~ 1 + (1 | groups), d, control = allow))
  ols <- lapply(designs, function(d) lm(y ~ 1, d))
})
cluster_robust <- function(prefix, model, cluster, types = c("CR0", "CR1", "CR2", "CR3")) {
  for (type in types) {
    add(paste0(prefix, ".", type),
        sprintf("sqrt(diag(as.matrix(clubSandwich::vcovCR(%s, cluster = %s, type = '%s'))))",
                model, cluster, type))
  }
  add(paste0(prefix, ".CR2_df"),
      sprintf(paste("clubSandwich::coef_test(%s, vcov = 'CR2', cluster = %s,",
                    "test = 'Satterthwaite')$df_Satt"), model, cluster))
}
sds_first <- "lower, upper of the sd between classes, of sigma, and of the intercept"
for (name in names(designs)) {
  prefix <- paste0("unbalanced.", name)
  fit <- paste0("mixed$", name)
  cluster_robust(prefix, paste0("ols$", name), sprintf("designs$%s$groups", name))
  add(paste0(prefix, ".ci_profile"), sprintf("lme4_profile(%s)", fit), sds_first)
  add(paste0(prefix, ".ci_profile_exact"),
      sprintf("exact_profile(y ~ 1, designs$%s, designs$%s$groups)", name, name), sds_first)
  add(paste0(prefix, ".se_variances"), sprintf("unname(se_variances_of(%s))", fit),
      "of psi, of theta: expected REML information, at lme4's estimates")
  add(paste0(prefix, ".reml_lrt"), sprintf("lrt_psi(%s, ols$%s)", fit, name), "of psi = 0")
  add(paste0(prefix, ".reml_lrt_p"), sprintf("p_psi(%s, ols$%s)", fit, name))
}
add("ci.profile_sd_groups_exact", "exact_profile(y ~ 1, df, groups)[1:2]")
add("ci.profile_sigma_exact", "exact_profile(y ~ 1, df, groups)[3:4]")
add("ci.profile_intercept_exact", "exact_profile(y ~ 1, df, groups)[5:6]")
add("singular.ci_profile_exact", "exact_profile(y ~ 1, d0, d0$groups)", sds_first)
add("singular.reml_lrt", "lrt_psi(m0, lm(y ~ 1, d0))", "0: the two likelihoods are the same one")
add("singular.reml_lrt_p", "p_psi(m0, lm(y ~ 1, d0))",
    "half of the mixture of chi-squares is the point 0, so P(T >= 0) is 1")

# ---- small designs that are hard for cluster-robust errors --------------------------------------
# i numbers the rows of a class and j the classes: x = i^2 j modulo 7 varies unevenly within classes
# and is constant in classes 7 and 14; z = j. first and fifth single out class 1, which keeps one
# row, and class 5, which keeps five: such a class has leverage 1, so that I - H_jj is singular, and
# clubSandwich's CR2 takes a generalised inverse. (Its CR3 inverts I - H_jj: not defined there.)
define({
  with_predictors <- function(d) {
    i <- ave(d$y, d$groups, FUN = seq_along)
    j <- as.integer(as.character(d$groups))
    cbind(d, x = (i^2 * j) %% 7, z = j, first = 1 * (j == 1), fifth = 1 * (j == 5))
  }
  hard <- lapply(designs, with_predictors)
  hard_ols <- list(
    within = lm(y ~ x, hard$sizes_1to10_twice),
    few = lm(y ~ x + z, hard$few_clusters5),
    no_intercept = lm(y ~ 0 + x + z, hard$half_small),
    leverage = lm(y ~ x + fifth, hard$sizes_1to10_twice),
    leverage_single = lm(y ~ x + first, hard$sizes_1to10_twice)
  )
})
hard_rows <- c(within = "sizes_1to10_twice", few = "few_clusters5", no_intercept = "half_small",
               leverage = "sizes_1to10_twice", leverage_single = "sizes_1to10_twice")
for (name in names(hard_ols)) {
  prefix <- paste0("hard.", name)
  add(paste0(prefix, ".formula"), sprintf("deparse1(formula(hard_ols$%s))", name),
      paste("rows of", hard_rows[[name]]))
  add(paste0(prefix, ".coef"), sprintf("coef(hard_ols$%s)", name))
  cluster_robust(prefix, paste0("hard_ols$", name), sprintf("hard$%s$groups", hard_rows[[name]]),
                 c("CR0", "CR1", "CR2", if (!startsWith(name, "leverage")) "CR3"))
}

packages <- c("lme4", "lmerTest", "pbkrtest", "clubSandwich", "sandwich", "nlme")
meta <- versions(packages)
meta$symbols <- paste(
  "a = anova table; cp = complete pooling, lm(y ~ 1); np = no pooling, lm(y ~ groups - 1);",
  "pp, ml = partial pooling by REML, ML; theta = MSW; psi = (MSB - MSW)/n;",
  "lam = n psi/(n psi + theta); Vb = MSB/(Jn)"
)
save_reference("classrooms", meta, unbalanced = unbalanced, singular = singular)
