# Reference values of notebook 14 beyond those of slopes.R: a balanced study whose groups share their x, with R's own
# random numbers; the random intercept and CR2 beside slopes that vary; centring; tests and intervals of the slope's
# standard deviation; slope after slope on public data (grunfeld.csv is statsmodels' copy, in the public domain).
# Writes varying_slopes.json beside this script: Rscript tests/reference/varying_slopes.R

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages({library(lme4); library(pbkrtest); library(clubSandwich)})

# ---- the data, and lme4 held to its optimum -----------------------------------------------------
define({
  radon <- read.csv("helpers/data/radon.csv")
  radon$log_radon <- log(ifelse(radon$radon == 0, .1, radon$radon))
  radon$county <- factor(radon$county)
  hsb <- read.csv("helpers/data/hsb.csv")
  hsb$school <- factor(hsb$school)
  hsb$mean_ses <- ave(hsb$ses, hsb$school)
  hsb$cses <- hsb$ses - hsb$mean_ses
  hsb$higher <- hsb$ses - 1
  firms <- read.csv("tests/reference/grunfeld.csv")
  firms$firm <- factor(firms$firm)
  firms[c("invest", "value", "capital")] <- firms[c("invest", "value", "capital")] / 1000
  quiet <- list(check.conv.singular = "ignore", check.conv.grad = "ignore", check.conv.hess = "ignore")
  with_optimiser <- function(...) do.call(lmerControl, c(quiet, list(...)))
  usual <- with_optimiser()
  other <- with_optimiser(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-9, maxfun = 20000))
  tight <- with_optimiser(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14, maxeval = 20000))
  fit <- function(formula, data, REML = TRUE) {
    lower <- function(a, b) if (deviance(b, REML = REML) < deviance(a, REML = REML)) b else a
    m <- lmerTest::lmer(formula, data, REML = REML, control = usual)
    m <- lower(m, lmerTest::lmer(formula, data, REML = REML, control = other))
    for (again in 1:2) {
      start <- list(theta = getME(m, "theta"))
      m <- lower(m, lmerTest::lmer(formula, data, REML = REML, control = tight, start = start))
      m <- lower(m, lmerTest::lmer(formula, data, REML = REML, control = other, start = start))
    }
    m
  }
  se <- function(m) unname(sqrt(diag(as.matrix(vcov(m)))))
  robust <- function(m, type, ...) unname(sqrt(diag(as.matrix(vcovCR(m, type = type, ...)))))
  lr <- function(larger, smaller) REMLcrit(smaller) - REMLcrit(larger)
  half_half <- function(x) (pchisq(x, 1, lower = FALSE) + pchisq(x, 2, lower = FALSE)) / 2
})

# ---- the balanced study -------------------------------------------------------------------------
define({
  draw <- function(J) {
    set.seed(14)
    level <- rnorm(J, 50, 4)
    slope <- rnorm(J, 2, 1)
    clubs <- data.frame(club = gl(J, 8), hours = rep(0:7, J))
    clubs$score <- level[clubs$club] + slope[clubs$club] * clubs$hours + rnorm(8 * J, 0, 5)
    clubs$centred <- clubs$hours - 3.5
    clubs
  }
  clubs <- draw(20)
  together <- fit(score ~ centred + (1 + centred | club), clubs)
  apart <- fit(score ~ centred + (1 | club) + (0 + centred | club), clubs)
  apart_from_0 <- fit(score ~ hours + (1 | club) + (0 + hours | club), clubs)
  one <- fit(score ~ centred + (1 | club), clubs)
  least <- lm(score ~ centred, clubs)
  own_slopes <- function(clubs) {
    vapply(split(clubs, clubs$club), function(d) coef(lm(score ~ centred, d))[[2]], 0)
  }
  own <- own_slopes(clubs)
  few <- draw(12)
  few_together <- fit(score ~ centred + (1 + centred | club), few)
})
add("clubs.score", "clubs$score")
add("clubs.by_own", "sd(own) / sqrt(20)")
add("clubs.together", "se(together)[2]")
add("clubs.together_kr", "as.numeric(sqrt(vcovAdj(together)[2, 2]))")
add("clubs.together_kr_df", "get_Lb_ddf(together, c(0, 1))")
add("clubs.together_satterthwaite", "coef(summary(together))[2, 'df']")
add("clubs.apart", "se(apart)[2]")
add("clubs.apart_from_0", "se(apart_from_0)[2]", "hours not centred: the zero covariance binds")
add("clubs.one", "se(one)[2]")
add("clubs.one_df", "coef(summary(one))[2, 'df']")
for (type in c("CR0", "CR1", "CR2", "CR3")) {
  add(paste0("clubs.", type), sprintf("robust(least, '%s', cluster = clubs$club)[2]", type))
}
add("clubs.CR2_df", "coef_test(least, 'CR2', cluster = clubs$club)$df_Satt[2]")
add("clubs.one_CR2", "robust(one, 'CR2')[2]")
add("few.by_own", "sd(own_slopes(few)) / sqrt(12)")
add("few.together", "se(few_together)[2]", "a correlation of 1: on the boundary")
add("few.correlation", "attr(VarCorr(few_together)$club, 'correlation')[[2]]")
add("clubs.sds", "as.data.frame(VarCorr(together))$sdcor", "intercept, slope, correlation, within")

# ---- High School and Beyond ---------------------------------------------------------------------
define({
  h_one <- fit(math ~ cses + mean_ses + (1 | school), hsb)
  h_vary <- fit(math ~ cses + mean_ses + (1 + cses | school), hsb)
  h_own <- vapply(split(hsb, hsb$school), function(d) coef(lm(math ~ cses, d))[[2]], 0)
  h_ses <- fit(math ~ ses + (1 + ses | school), hsb)
  h_higher <- fit(math ~ higher + (1 + higher | school), hsb)
})
add("hsb.one", "se(h_one)[2]")
add("hsb.one_df", "coef(summary(h_one))[2, 'df']")
add("hsb.one_CR2", "robust(h_one, 'CR2')[2]")
add("hsb.one_CR2_df", "coef_test(h_one, 'CR2')$df[2]")
add("hsb.lm_CR2", "robust(lm(math ~ cses + mean_ses, hsb), 'CR2', cluster = hsb$school)[2]")
add("hsb.lm_CR2_df", "coef_test(lm(math ~ cses + mean_ses, hsb), 'CR2', cluster = hsb$school)$df_Satt[2]")
add("hsb.vary", "se(h_vary)[2]")
add("hsb.vary_df", "coef(summary(h_vary))[2, 'df']")
add("hsb.vary_sd", "attr(VarCorr(h_vary)$school, 'stddev')[[2]]")
add("hsb.vary_correlation", "attr(VarCorr(h_vary)$school, 'correlation')[[2]]")
add("hsb.lr", "lr(h_vary, h_one)")
add("hsb.lr_p", "half_half(lr(h_vary, h_one))")
add("hsb.own", "unlist(unname(t.test(h_own)[c('estimate', 'stderr', 'conf.int')]))[1:3]",
    "mean of the schools' own slopes, its SE, lower end")
for (m in c("h_ses", "h_higher")) {
  add(paste0(m, ".se"), sprintf("se(%s)", m))
  add(paste0(m, ".sds"), sprintf("unname(attr(VarCorr(%s)$school, 'stddev'))", m))
  add(paste0(m, ".correlation"), sprintf("attr(VarCorr(%s)$school, 'correlation')[[2]]", m))
}

# ---- radon --------------------------------------------------------------------------------------
define({
  r_one <- fit(log_radon ~ floor + (1 | county), radon)
  r_vary <- fit(log_radon ~ floor + (1 + floor | county), radon)
  r_ml <- fit(log_radon ~ floor + (1 + floor | county), radon, REML = FALSE)
})
add("radon.lr", "lr(r_vary, r_one)")
add("radon.lr_p", "half_half(lr(r_vary, r_one))")

# ---- the slope's standard deviation: an interval by the profile of the ML likelihood ------------
# lme4's own profile interpolates; here its deviance is minimised at each value of the standard deviation, and the
# ends are roots.
define({
  profile_sd <- function(formula, data, level = .95) {
    m <- fit(formula, data, REML = FALSE)
    dev <- lme4::lmer(formula, data, REML = FALSE, devFunOnly = TRUE)
    least <- dev(getME(m, "theta"))
    # At a given sd of the slope, sigma is no longer profiled out: the deviance at (theta, sigma).
    at <- function(theta, sigma2) {
      dev(theta)
      pp <- environment(dev)$pp
      N <- nrow(data)
      (environment(dev)$resp$wrss() + pp$sqrL(1)) / sigma2 + pp$ldL2() + N * log(2 * pi * sigma2)
    }
    warm <- c(getME(m, "theta")[1], 0, log(sigma(m)^2))
    given <- function(sd) {
      one <- function(q) {
        size <- sd / exp(q[3] / 2)
        at(c(q[1], size * sin(q[2]), size * cos(q[2])), exp(q[3]))
      }
      for (again in 1:2) {
        o <- optim(warm, one, control = list(maxit = 5000, reltol = 1e-13))
        warm <<- o$par
      }
      o$value - least
    }
    here <- attr(VarCorr(m)[[1]], "stddev")[[2]]
    out <- function(sd) given(sd) - qchisq(level, 1)
    lower <- if (out(1e-6) < 0) 0 else uniroot(out, c(1e-6, here), tol = 1e-7)$root
    c(lower, uniroot(out, c(here, 4 * here), tol = 1e-7)$root)
  }
})
cat("profiles\n")
add("radon.profile_sd", "profile_sd(log_radon ~ floor + (1 + floor | county), radon)", "0 where no end below")
add("hsb.profile_sd", "profile_sd(math ~ cses + mean_ses + (1 + cses | school), hsb)")

cat("slope after slope\n")
# ---- slope after slope, predictors less the mean of the group: three standard errors ------------
beside <- list(
  ses = c("math", "ses", "school", "hsb", ""),
  minority = c("math", "minority", "school", "hsb", ""),
  female = c("math", "female", "school", "hsb", ""),
  floor = c("log_radon", "floor", "county", "radon", ""),
  capital = c("invest", "capital", "firm", "firms", "value")
)
define({
  within <- function(x, data, group) data[[x]] - ave(data[[x]], data[[group]])
})
for (name in names(beside)) {
  of <- beside[[name]]
  b_data <- get(of[4])
  b_data$x <- within(of[2], b_data, of[3])
  right <- "x"
  if (nzchar(of[5])) {
    b_data$z <- within(of[5], b_data, of[3])
    right <- "x + z"
  }
  b_one <- fit(as.formula(sprintf("%s ~ %s + (1 | %s)", of[1], right, of[3])), b_data)
  b_vary <- fit(as.formula(sprintf("%s ~ %s + (1 + x | %s)", of[1], right, of[3])), b_data)
  b_lm <- lm(as.formula(sprintf("%s ~ %s", of[1], right)), b_data)
  note <- sprintf("%s; x (and z) less the mean of the %s, b_one with (1 | %s), b_vary (1 + x | %s), b_lm lm",
                  paste(c(of[c(1, 2, 4)], of[5][nzchar(of[5])]), collapse = ", "), of[3], of[3], of[3])
  add(paste0("beside.", name, ".slope"), "c(fixef(b_one)[['x']], fixef(b_vary)[['x']])", note)
  add(paste0("beside.", name, ".one"), "se(b_one)[2]")
  add(paste0("beside.", name, ".CR2"), sprintf("robust(b_lm, 'CR2', cluster = b_data$%s)[2]", of[3]))
  add(paste0("beside.", name, ".CR2_df"),
      sprintf("coef_test(b_lm, 'CR2', cluster = b_data$%s)$df_Satt[2]", of[3]))
  add(paste0("beside.", name, ".one_CR2"), "robust(b_one, 'CR2')[2]", "around the random intercept")
  add(paste0("beside.", name, ".vary"), "se(b_vary)[2]")
  add(paste0("beside.", name, ".sd"), "attr(VarCorr(b_vary)[[1]], 'stddev')[[2]]")
  add(paste0("beside.", name, ".lr"), "lr(b_vary, b_one)")
  add(paste0("beside.", name, ".lr_p"), "half_half(lr(b_vary, b_one))")
}

meta <- c(
  source = "helpers/data, tests/reference/grunfeld.csv, R's random numbers",
  versions(c("lme4", "lmerTest", "pbkrtest", "clubSandwich"))
)
save_reference("varying_slopes", meta)
