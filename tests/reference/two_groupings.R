# Reference values for two groupings of intercepts, nested and crossed: lme4, lmerTest and pbkrtest on data sets
# of R packages, on tests/cases, on singular fits, and on two large tables that a rule makes here and in Python.
# Writes two_groupings.json beside this script: Rscript tests/reference/two_groupings.R

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(pbkrtest); library(mlmRev)})

# ---- the data -----------------------------------------------------------------------------------
define({
  pastes <- lme4::Pastes
  pastes.few <- pastes[-c(1:5, 13, 14, 22, 40, 41, 55, 56), ]
  penicillin <- lme4::Penicillin
  penicillin.few <- penicillin[-c(seq(1, 60, by = 7), 100:117, 140), ]
  penicillin.few$dose <- (seq_len(nrow(penicillin.few)) * 37) %% 11
  oats <- as.data.frame(nlme::Oats)
  cake <- lme4::cake
  scots <- mlmRev::ScotsSec
  egsingle <- mlmRev::egsingle
  three <- read.csv("tests/cases/three_levels.csv")
  fraction <- function(x) x %% 1
  normal <- function(i, by) qnorm(fraction((i + .5) * by))
  # 10 000 classes of 1 to 5 pupils in 500 schools
  classes <- rep(0:9999, 1 + 0:9999 %% 5)
  large.nested <- data.frame(class = classes, school = (classes * 7) %% 500, i = seq_along(classes) - 1)
  large.nested <- within(large.nested, {
    x <- fraction(i * sqrt(3))
    w <- fraction(class * sqrt(5))
    y <- 1 + x + w + .5 * normal(school, sqrt(2)) + .7 * normal(class, sqrt(7)) + normal(i, sqrt(11))
  })
  i <- 0:11999
  large.crossed <- data.frame(i = i, a = (i * i + 3 * i) %% 397, b = (7 * i + i %/% 397) %% 1009)
  large.crossed <- within(large.crossed, {
    x <- fraction(i * sqrt(3))
    y <- 1 + x + .5 * normal(a, sqrt(2)) + .7 * normal(b, sqrt(7)) + normal(i, sqrt(11))
  })
  # The lowest that lme4 gets: from two optimisers, then from there as near to the optimum as it will go.
  quiet <- list(check.conv.singular = "ignore", check.conv.grad = "ignore", check.conv.hess = "ignore")
  with_optimiser <- function(...) do.call(lmerControl, c(quiet, list(...)))
  usual <- with_optimiser()
  other <- with_optimiser(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-9, maxfun = 20000))
  tight <- with_optimiser(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14, maxeval = 20000))
  # Newton steps from there, in the thetas above 0: an optimiser stops where the criterion no longer falls.
  still <- function(fn, par, lower, control, ...) list(par = par, fval = fn(par), conv = 0, message = "")
  polished <- function(m, formula, data, REML) {
    deviance_of <- lmerTest::lmer(formula, data, REML = REML, devFunOnly = TRUE)
    theta <- getME(m, "theta")
    inside <- theta > 1e-4
    of_part <- function(part) deviance_of(replace(theta, inside, part))
    if (any(inside)) for (again in 1:3) {
      slope <- numDeriv::grad(of_part, theta[inside])
      theta[inside] <- theta[inside] - solve(numDeriv::hessian(of_part, theta[inside]), slope)
    }
    start <- list(theta = ifelse(inside, theta, 0))
    control <- with_optimiser(optimizer = still, calc.derivs = FALSE)
    lmerTest::lmer(formula, data, REML = REML, control = control, start = start)
  }
  fit <- function(formula, data, REML = TRUE) {
    lower <- function(a, b) if (deviance(b, REML = REML) < deviance(a, REML = REML)) b else a
    m <- lmerTest::lmer(formula, data, REML = REML, control = usual)
    if (nrow(data) < 5000) m <- lower(m, lmerTest::lmer(formula, data, REML = REML, control = other))
    start <- list(theta = getME(m, "theta"))
    m <- lower(m, lmerTest::lmer(formula, data, REML = REML, control = tight, start = start))
    if (nrow(data) < 5000) m <- lower(m, lmerTest::lmer(formula, data, REML = REML, control = other, start = start))
    if (nrow(data) < 5000) m <- polished(m, formula, data, REML)
    m
  }
})

# Singular fits: which variances are 0 is in the name.
make <- function(sds, nested, seed) {
  set.seed(seed)
  a <- rep(1:8, each = 12)
  b <- if (nested) rep(1:24, each = 4) else sample(1:6, 96, replace = TRUE)
  x <- round(rnorm(96), 2)
  data.frame(y = round(3 + x + rnorm(8, sd = sds[1])[a] + rnorm(24, sd = sds[2])[b] + rnorm(96), 3), x = x, a = a, b = b)
}
singular <- list(
  none.nested = make(c(0, 0), TRUE, 5), none.crossed = make(c(0, 0), FALSE, 5),
  outer.nested = make(c(0, 1.2), TRUE, 6), inner.nested = make(c(1.2, 0), TRUE, 4),
  a.crossed = make(c(0, 1.2), FALSE, 3), b.crossed = make(c(1.2, 0), FALSE, 1)
)

nested <- "(1 | a/b)"
crossed <- "(1 | a) + (1 | b)"
models <- list(
  pastes = c("strength ~ 1 + (1 | batch/cask)", "pastes"),
  pastes.few = c("strength ~ 1 + (1 | batch/cask)", "pastes.few"),
  penicillin = c("diameter ~ 1 + (1 | plate) + (1 | sample)", "penicillin"),
  penicillin.few = c("diameter ~ dose + (1 | plate) + (1 | sample)", "penicillin.few"),
  oats = c("yield ~ nitro + (1 | Block/Variety)", "oats"),
  cake = c("angle ~ temp + (1 | replicate/recipe)", "cake"),
  scots = c("attain ~ verbal + social + (1 | primary) + (1 | second)", "scots"),
  egsingle = c("math ~ year + (1 | schoolid/childid)", "egsingle"),
  three = c("score ~ treated + (1 | school/class)", "three"),
  large.nested = c("y ~ x + w + (1 | school/class)", "large.nested"),
  large.crossed = c("y ~ x + (1 | a) + (1 | b)", "large.crossed")
)
for (name in names(singular)) {
  models[[name]] <- c(paste("y ~ x +", if (grepl("nested", name)) nested else crossed), sprintf("singular$%s", name))
}
of_grouping <- function(m, name) as.numeric(VarCorr(m)[[name]])
add_fit <- function(name, of) {
  command <- sprintf("fit(%s, %s)", of[1], of[2])
  m <<- eval(parse(text = command), globalenv())
  m_ml <<- eval(parse(text = sprintf("fit(%s, %s, REML = FALSE)", of[1], of[2])), globalenv())
  say <- function(id, text) add(paste0(name, ".", id), text, paste("m is", command))
  say("criterion", "REMLcrit(m)")
  say("deviance", "-2 * as.numeric(logLik(m_ml))")
  say("fixef", "unname(fixef(m))")
  say("se", "unname(sqrt(diag(as.matrix(vcov(m)))))")
  say("se_ml", "unname(sqrt(diag(as.matrix(vcov(m_ml)))))")
  say("psi", "sapply(VarCorr(m), as.numeric)")
  say("sigma", "sigma(m)")
  say("satterthwaite", "unname(coef(summary(m))[, 'df'])")
  if (nrow(model.frame(m)) < 1000) {        # pbkrtest works with N x N matrices
    adjusted <<- vcovAdj(m)
    add(paste0(name, ".kr_se"), "unname(sqrt(diag(as.matrix(adjusted))))", "adjusted is vcovAdj(m)")
    add(paste0(name, ".kr_df"), "apply(diag(length(fixef(m))), 1, function(L) Lb_ddf(L, vcov(m), adjusted))")
  }
  if (name %in% c("pastes.few", "penicillin.few", "oats")) {
    predicted <<- ranef(m, condVar = TRUE)
    for (g in names(predicted)) {
      add(paste0(name, ".ranef.", g), sprintf("predicted[['%s']][[1]]", g), "predicted is ranef(m, condVar = TRUE)")
      add(paste0(name, ".condsd.", g), sprintf("sqrt(as.numeric(attr(predicted[['%s']], 'postVar')))", g))
      add(paste0(name, ".groups.", g), sprintf("rownames(predicted[['%s']])", g))
    }
    again <- sprintf("lme4::lmer(%s, %s, control = tight)", of[1], of[2])    # which optimises, as the profile must
    add(paste0(name, ".ci_profile"), sprintf("suppressWarnings(confint(profile(%s, which = 'theta_', signames = FALSE)))", again))
  }
}
for (name in names(models)) {
  cat(name, "\n")
  add_fit(name, models[[name]])
}
meta <- c(
  source = "lme4, nlme and mlmRev's data sets, tests/cases",
  versions(c("lme4", "lmerTest", "pbkrtest", "nlme", "mlmRev", "numDeriv"))
)
tables <- c(
  list(
    pastes = pastes[c("strength", "batch", "cask")], pastes.few = pastes.few[c("strength", "batch", "cask")],
    penicillin = penicillin, penicillin.few = penicillin.few,
    oats = oats, cake = cake[c("replicate", "recipe", "temp", "angle")],
    scots = scots[c("attain", "verbal", "social", "primary", "second")],
    egsingle = egsingle[c("schoolid", "childid", "year", "math")]
  ),
  singular
)
tables <- lapply(tables, function(d) {
  lapply(d, function(v) I(if (!is.factor(v)) v else if (all(grepl("^[0-9]+$", levels(v)))) as.numeric(as.character(v)) else as.character(v)))
})
save_reference("two_groupings", meta, tables = tables)
