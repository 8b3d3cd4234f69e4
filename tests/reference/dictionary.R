# The R side of notebooks/r_and_python.md: every call that the page shows, and what it gives.
# Writes dictionary.json beside this script: Rscript tests/reference/dictionary.R

# The repository root, wherever the script is started from (Rscript writes "~+~" for a space).
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")

# Record calls, each under itself.
run <- function(...) for (command in c(...)) add(command, command)

# ---- data ---------------------------------------------------------------------------------------
define({
  library(lme4)
  set.seed(0)
  groups <- gl(20, 10)
  effect <- rnorm(20, 0, 20)
  y <- 1629 + effect[groups] + rnorm(200, 0, 30)
  radon <- read.csv("helpers/data/radon.csv")
  radon <- transform(radon, log_radon = log(pmax(radon, 0.1)))
})
stopifnot(all.equal(radon$log_radon, log(ifelse(radon$radon == 0, 0.1, radon$radon))))
run(
  "set.seed(0); rnorm(1)",
  "set.seed(0); runif(1)",
  "mean(y)",
  "tapply(y, groups, mean)[1]",
  "ave(y, groups)[1]",
  "mean(radon$log_radon)"
)

# ---- complete pooling ---------------------------------------------------------------------------
define({
  lm0 <- lm(y ~ 1)
})
run(
  "coef(lm0)",
  "sqrt(diag(vcov(lm0)))",
  "sigma(lm0)",
  "df.residual(lm0)",
  "confint(lm0)[1]",
  "logLik(lm0)",
  "AIC(lm0)"
)

# ---- no pooling ---------------------------------------------------------------------------------
define({
  lm1 <- lm(y ~ groups - 1)
  lmT <- lm(y ~ groups)
  lmS <- lm(y ~ groups, contrasts = list(groups = "contr.sum"))
})
run(
  "coef(lm1)[1]",
  "sqrt(diag(vcov(lm1)))[1]",
  "sigma(lm1)",
  "df.residual(lm1)",
  "coef(lmT)[1]",
  "sqrt(diag(vcov(lmT)))[1]",
  "coef(lmT)[2]",
  "sqrt(diag(vcov(lmT)))[2]",
  "coef(lmS)[1]",
  "sqrt(diag(vcov(lmS)))[1]",
  'anova(lmT)[1, "Mean Sq"]',
  'anova(lmT)[2, "Mean Sq"]',
  'anova(lmT)[1, "F value"]'
)

# ---- partial pooling ----------------------------------------------------------------------------
define({
  m <- lmer(y ~ 1 + (1 | groups))
  v <- as.data.frame(VarCorr(m))
  ml <- update(m, REML = FALSE)
  flat <- y - ave(y, groups) + 1629 + rep(rep(c(-1, 1), 10), each = 10)
  m0 <- refit(m, flat)
})
run(
  "fixef(m)",
  "sqrt(diag(vcov(m)))",
  "v$vcov[1]",
  "v$sdcor[1]",
  "v$vcov[2]",
  "sigma(m)",
  'getME(m, "theta")',
  "v$vcov[1] / sum(v$vcov)",
  "REMLcrit(m)",
  "logLik(m)",
  "sqrt(diag(vcov(ml)))",
  "as.data.frame(VarCorr(ml))$vcov[1]",
  "logLik(ml)",
  "deviance(ml)",
  "AIC(ml)",
  "isSingular(m0) + 0",
  "sqrt(diag(vcov(m0)))"
)

# ---- groups -------------------------------------------------------------------------------------
define({
  re <- ranef(m, condVar = TRUE)$groups
  X <- getME(m, "X")
  Z <- as.matrix(getME(m, "Z"))
  ratio <- v$vcov[2] / v$vcov[1]
  A <- rbind(cbind(t(X) %*% X, t(X) %*% Z),
             cbind(t(Z) %*% X, t(Z) %*% Z + ratio * diag(20)))
  C <- v$vcov[2] * solve(A)
  new <- data.frame(groups = "21")
})
run(
  "re[1, 1]",
  'sqrt(attr(re, "postVar")[1, 1, 1])',
  "arm::se.ranef(m)$groups[1, 1]",
  "coef(m)$groups[1, 1]",
  "sqrt(C[2, 2])",
  "sqrt(C[1, 1] + C[2, 2] + 2 * C[1, 2])",
  "predict(m)[1]",
  "predict(m, re.form = NA)[1]",
  "predict(m, new, allow.new.levels = TRUE)",
  "sqrt(v$vcov[1] + vcov(m)[1, 1])"
)

# ---- inference ----------------------------------------------------------------------------------
define({
  mt <- lmerTest::lmer(y ~ 1 + (1 | groups))
  ci <- confint(profile(m, signames = FALSE))
  tt <- t.test(tapply(y, groups, mean))
  f <- anova(lmT)[1, "F value"] / qf(c(.975, .025), 19, 180)
})
run(
  'coef(summary(m))[1, "t value"]',
  'confint(m, "(Intercept)", method = "Wald")[1]',
  'ci["(Intercept)", 1]',
  "ci[1, 1]",
  'ci["sigma", 1]',
  'coef(summary(mt))[1, "df"]',
  "pbkrtest::get_Lb_ddf(m, 1)",
  "sqrt(pbkrtest::vcovAdj(m)[1, 1])",
  "nlme::lme(y ~ 1, random = ~ 1 | groups)$fixDF$X",
  "tt$stderr",
  "tt$conf.int[1]",
  "2 * (logLik(ml) - logLik(lm0))",
  "2 * (logLik(m) - logLik(lm0, REML = TRUE))",
  "pchisq(2 * (logLik(m) - logLik(lm0, REML = TRUE)), 1, lower = FALSE) / 2",
  "((f - 1) / (f + 9))[1]",
  "power.t.test(n = 10, delta = 27, sd = sd(tapply(y, groups, mean)))$power"
)

# ---- robust -------------------------------------------------------------------------------------
define({
  library(sandwich)
  library(clubSandwich)
  library(geepack)
  g <- geeglm(y ~ 1, id = groups, corstr = "exchangeable")
})
run(
  'sqrt(vcovHC(lm0, type = "HC0")[1])',
  'sqrt(vcovHC(lm0, type = "HC1")[1])',
  'sqrt(vcovCL(lm0, ~ groups, type = "HC0", cadjust = FALSE)[1])',
  'sqrt(vcovCL(lm0, ~ groups, type = "HC1")[1])',
  'sqrt(vcovCR(lm0, groups, "CR0")[1])',
  'sqrt(vcovCR(lm0, groups, "CR1")[1])',
  'sqrt(vcovCR(lm0, groups, "CR2")[1])',
  'sqrt(vcovCR(lm0, groups, "CR3")[1])',
  'coef_test(lm0, "CR2", cluster = groups)$df_Satt',
  'sqrt(vcovCL(lm0, ~ groups, type = "HC3", cadjust = FALSE)[1])',
  'sqrt(vcovCR(m, type = "CR2")[1])',
  'coef(summary(g))[1, "Std.err"]'
)

# ---- unequal groups -----------------------------------------------------------------------------
define({
  r0 <- lmer(log_radon ~ 1 + (1 | county), radon)
  r1 <- lmer(log_radon ~ floor + (1 | county), radon)
  r2 <- lmer(log_radon ~ floor + log_uranium + (1 | county), radon)
  o1 <- lm(log_radon ~ floor, radon)
  data(Hsb82, package = "mlmRev")
  h0 <- lmer(mAch ~ 1 + (1 | school), Hsb82)
  schools <- read.csv("helpers/data/hsb.csv")
  schools <- transform(schools, mean_ses = ave(ses, school))
  schools <- transform(schools, cses = ses - mean_ses)
  h2 <- lmer(math ~ cses + mean_ses + (1 | school), schools)
})
run(
  "fixef(r0)",
  "sqrt(vcov(r0)[1, 1])",
  "sqrt(pbkrtest::vcovAdj(r0)[1, 1])",
  "pbkrtest::get_Lb_ddf(r0, 1)",
  "fixef(r1)[1]",
  "fixef(r1)[2]",
  "sqrt(diag(vcov(r1)))[1]",
  "sqrt(diag(vcov(r1)))[2]",
  "as.data.frame(VarCorr(r1))$sdcor[1]",
  "sigma(r1)",
  "fixef(r2)[3]",
  "sqrt(diag(vcov(r2)))[3]",
  'sqrt(vcovCR(o1, radon$county, "CR1")[2, 2])',
  'sqrt(vcovCR(o1, radon$county, "CR1S")[2, 2])',
  'sqrt(vcovCL(o1, ~ county, type = "HC1")[2, 2])',
  'sqrt(vcovCR(o1, radon$county, "CR2")[2, 2])',
  "sqrt(vcov(h0)[1, 1])",
  "sqrt(diag(vcov(h2)))[2]",
  "sqrt(diag(vcov(h2)))[3]"
)

# ---- slopes that vary ---------------------------------------------------------------------------
define({
  s1 <- lmer(math ~ cses + mean_ses + (1 + cses | school), schools)
  st <- lmerTest::lmer(math ~ cses + mean_ses + (1 + cses | school), schools)
  ns <- nlme::lme(math ~ cses + mean_ses, schools, random = ~ cses | school)
  lr <- REMLcrit(h2) - REMLcrit(s1)
})
run(
  "fixef(s1)[2]",
  "sqrt(diag(vcov(s1)))[2]",
  'attr(VarCorr(s1)$school, "stddev")[2]',
  'attr(VarCorr(s1)$school, "correlation")[1, 2]',
  "sigma(s1)",
  "REMLcrit(s1)",
  "sqrt(diag(ns$varFix))[2]",
  'ns$fixDF$X["cses"]',
  'coef(summary(st))["cses", "df"]',
  'sqrt(vcovCR(s1, type = "CR2")[2, 2])',
  'sqrt(vcovCR(h2, type = "CR2")[2, 2])',
  "ranef(s1)$school[1, 2]",
  "coef(s1)$school[1, 2]",
  "(pchisq(lr, 1, lower = FALSE) + pchisq(lr, 2, lower = FALSE)) / 2"
)

# ---- more than one grouping ---------------------------------------------------------------------
define({
  pupils <- read.csv("helpers/data/three_levels.csv")
  g1 <- lmer(score ~ treated + (1 | school/class), pupils)
  set.seed(15)
  reader <- rnorm(12, 0, 2)
  text <- rnorm(8, 0, 3)
  answers <- expand.grid(text = 1:8, reader = 1:12)
  noise <- rnorm(96, 0, 4)
  answers$score <- 50 + reader[answers$reader] + text[answers$text] + noise
  g2 <- lmer(score ~ 1 + (1 | reader) + (1 | text), answers)
  g3 <- lm(score ~ 1, answers)
})
run(
  "sqrt(vcov(g1)[2, 2])",
  "pbkrtest::get_Lb_ddf(g1, c(0, 1))",
  "sqrt(vcov(g2)[1, 1])",
  "pbkrtest::get_Lb_ddf(g2, 1)",
  'sqrt(vcovCL(g3, ~ reader, type = "HC0")[1, 1])',
  'sqrt(vcovCL(g3, ~ reader + text, type = "HC0")[1, 1])'
)

save_reference("dictionary", versions(c(
  "lme4", "lmerTest", "pbkrtest", "nlme", "sandwich", "clubSandwich", "arm", "geepack", "mlmRev"
)))
