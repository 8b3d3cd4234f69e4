# Reference values for intercepts and slopes that vary: lme4, lmerTest, pbkrtest and clubSandwich on public data,
# on the two cases of tests/cases, on singular fits and on random designs. Writes slopes.json beside this script:
# Rscript tests/reference/slopes.R. With a path as argument it also writes all 200 random designs there.

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(pbkrtest); library(clubSandwich)})

# ---- the data -----------------------------------------------------------------------------------
define({
  radon <- read.csv("helpers/data/radon.csv")
  radon$y <- log(ifelse(radon$radon == 0, .1, radon$radon))
  radon$county <- factor(radon$county)
  hsb <- read.csv("helpers/data/hsb.csv")
  hsb$school <- factor(hsb$school)
  hsb$mean_ses <- ave(hsb$ses, hsb$school)
  hsb$cses <- hsb$ses - hsb$mean_ses
  hsb$public <- as.numeric(hsb$sector == "public")
  sleep <- lme4::sleepstudy
  clinic <- read.csv("tests/cases/random_slope.csv")
  growth <- read.csv("tests/cases/growth.csv")
  # The lowest that lme4 gets: from two optimisers, then from there as near to the optimum as it will go.
  quiet <- list(check.conv.singular = "ignore", check.conv.grad = "ignore", check.conv.hess = "ignore")
  with_optimiser <- function(...) do.call(lmerControl, c(quiet, list(...)))
  usual <- with_optimiser()
  other <- with_optimiser(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-9, maxfun = 20000))
  # nloptr stops at xtol_rel = 1e-4 unless it is told not to
  tight <- with_optimiser(optCtrl = list(xtol_abs = 1e-14, ftol_abs = 1e-15, xtol_rel = 0, ftol_rel = 0, maxeval = 20000))
  fit <- function(formula, data, REML = TRUE) {
    lower <- function(a, b) if (deviance(b, REML = REML) < deviance(a, REML = REML)) b else a
    m <- lmerTest::lmer(formula, data, REML = REML, control = usual)
    m <- lower(m, lmerTest::lmer(formula, data, REML = REML, control = other))
    for (again in 1:2) {
      start <- list(theta = getME(m, "theta"))
      m <- lower(m, lmerTest::lmer(formula, data, REML = REML, control = tight, start = start))
      m <- lower(m, lmerTest::lmer(formula, data, REML = REML, control = other, start = start))
    }
    # The criterion is too flat at its minimum to tell 1e-9 from rounding; the last, tight search stands.
    last <- lmerTest::lmer(formula, data, REML = REML, control = tight, start = list(theta = getME(m, "theta")))
    if (deviance(last, REML = REML) < deviance(m, REML = REML) + 1e-9) last else m
  }
})

# A singular fit of each kind: correlation +1, -1, no variance at all.
make <- function(J, n, cov, theta, seed) {
  set.seed(seed)
  g <- rep(seq_len(J), each = n)
  x <- round(rnorm(J * n), 2)
  b <- matrix(rnorm(2 * J), J) %*% chol(cov + diag(1e-12, 2))
  y <- round(2 + x + b[g, 1] + b[g, 2] * x + rnorm(J * n, sd = sqrt(theta)), 3)
  data.frame(y = y, x = x, g = g)
}
singular <- list(
  plus = make(15, 6, matrix(c(1, .7, .7, .5), 2), 1, 2),
  minus = make(15, 6, matrix(c(1, -.7, -.7, .5), 2), 1, 4),
  none = make(12, 5, diag(c(1e-8, 1e-8)), 1, 8)
)

models <- list(
  radon1 = c("y ~ floor + (1 + floor | county)", "radon"),
  radon2 = c("y ~ floor * log_uranium + (1 + floor | county)", "radon"),
  hsb.cses = c("math ~ cses + mean_ses + (1 + cses | school)", "hsb"),
  hsb.ses = c("math ~ ses + (1 + ses | school)", "hsb"),
  hsb.sector = c("math ~ ses + public + (1 + ses | school)", "hsb"),
  hsb.rb = c("math ~ mean_ses + public + cses + mean_ses:cses + public:cses + (1 + cses | school)", "hsb"),
  hsb.two = c("math ~ cses + minority + (1 + cses + minority | school)", "hsb"),
  hsb.alone = c("math ~ 1 + (1 + cses | school)", "hsb"),
  sleep = c("Reaction ~ Days + (1 + Days | Subject)", "sleep"),
  clinic = c("response ~ dose + (1 + dose | clinic)", "clinic"),
  growth = c("height ~ week + (1 + week | plant)", "growth"),
  growth.weeks = c("height ~ factor(week) + (1 + week | plant)", "growth"),
  plus = c("y ~ x + (1 + x | g)", "singular$plus"),
  minus = c("y ~ x + (1 + x | g)", "singular$minus"),
  none = c("y ~ x + (1 + x | g)", "singular$none")
)
add_fit <- function(name, of) {
  m <<- NULL
  command <- sprintf("fit(%s, %s)", of[1], of[2])
  m <<- eval(parse(text = command), globalenv())
  m_ml <<- eval(parse(text = sprintf("fit(%s, %s, REML = FALSE)", of[1], of[2])), globalenv())
  say <- function(id, text) add(paste0(name, ".", id), text, paste("m is", command))
  say("criterion", "REMLcrit(m)")
  say("deviance", "-2 * as.numeric(logLik(m_ml))")
  say("fixef", "unname(fixef(m))")
  say("se", "unname(sqrt(diag(as.matrix(vcov(m)))))")
  say("psi", "matrix(as.numeric(VarCorr(m)[[1]]), nrow(VarCorr(m)[[1]]))")
  say("sigma", "sigma(m)")
  say("singular", "as.numeric(isSingular(m, tol = 1e-5))")
  say("satterthwaite", "unname(coef(summary(m))[, 'df'])")
  if (nrow(model.frame(m)) < 2000) {        # pbkrtest works with N x N matrices
    adjusted <<- vcovAdj(m)
    add(paste0(name, ".kr_se"), "unname(sqrt(diag(as.matrix(adjusted))))", "adjusted is vcovAdj(m)")
    add(paste0(name, ".kr_df"), "apply(diag(length(fixef(m))), 1, function(L) Lb_ddf(L, vcov(m), adjusted))")
  }
  for (kind in c("CR0", "CR1", "CR2", "CR3")) {
    say(kind, sprintf("unname(sqrt(diag(as.matrix(vcovCR(m, type = '%s')))))", kind))
  }
  say("CR2_df", "coef_test(m, vcov = 'CR2')$df")
}
for (name in names(models)) {
  cat(name, "\n")
  add_fit(name, models[[name]])
}
define({
  radon1 <- fit(y ~ floor + (1 + floor | county), radon)
  effects <- ranef(radon1, condVar = TRUE)$county
})
add("radon1.ranef", "unname(as.matrix(effects))", "counties in the order of the alphabet")
add("radon1.condsd", "sqrt(t(apply(attr(effects, 'postVar'), 3, diag)))")
add("radon1.criterion_without", "REMLcrit(fit(y ~ floor + (1 | county), radon))")
define({
  intercepts <- fit(y ~ floor + (1 | county), radon)
})
for (kind in c("CR0", "CR1", "CR2", "CR3")) {
  add(paste0("radon.intercepts.", kind), sprintf("unname(sqrt(diag(as.matrix(vcovCR(intercepts, type = '%s')))))", kind))
}
add("radon.intercepts.CR2_df", "coef_test(intercepts, vcov = 'CR2')$df")

# ---- random designs: how low lme4 gets ----------------------------------------------------------
random_design <- function(seed) {
  set.seed(seed)
  q <- sample(2:3, 1, prob = c(.75, .25))
  J <- sample(7:20, 1)
  sizes <- q + sample(0:7, J, replace = TRUE)
  g <- rep(seq_len(J), sizes)
  N <- length(g)
  X <- matrix(round(rnorm(N * (q - 1)) + sample(c(0, 3), 1) + rnorm(J)[g], 2), N)
  A <- matrix(rnorm(q * q), q) * sample(c(0, .2, .6, 2), q, replace = TRUE)
  b <- matrix(rnorm(J * q), J) %*% t(A)
  y <- round(1 + X %*% rep(.5, q - 1) + b[g, 1] + rowSums(b[g, -1, drop = FALSE] * X) + rnorm(N), 3)
  data <- data.frame(y = as.numeric(y), g = g)
  for (k in seq_len(q - 1)) data[[paste0("x", k)]] <- X[, k]
  data
}
of_design <- function(data) {
  xs <- grep("^x", names(data), value = TRUE)
  formula <- as.formula(sprintf("y ~ %s + (1 + %s | g)", paste(xs, collapse = "+"), paste(xs, collapse = "+")))
  vapply(c(TRUE, FALSE), function(reml) {
    m <- suppressMessages(suppressWarnings(fit(formula, data, reml)))
    if (reml) REMLcrit(m) else -2 * as.numeric(logLik(m))
  }, 0)
}
entry <- function(seed) {
  data <- random_design(seed)
  both <- of_design(data)
  c(lapply(as.list(data), I), list(reml = both[1], ml = both[2]))
}
all <- commandArgs(trailingOnly = TRUE)
if (length(all)) {
  designs <- lapply(setNames(1:200, 1:200), entry)
  writeLines(to_json(designs), all[1])
  designs <- designs[as.character(seq(5, 200, by = 5))]
} else {
  designs <- lapply(setNames(seq(5, 200, by = 5), seq(5, 200, by = 5)), entry)
}
meta <- c(
  source = "helpers/data, tests/cases, lme4::sleepstudy",
  versions(c("lme4", "lmerTest", "pbkrtest", "clubSandwich"))
)
tables <- lapply(c(list(sleep = sleep), singular), function(d) {
  lapply(d, function(v) I(if (is.factor(v)) as.character(v) else v))
})
save_reference("slopes", meta, tables = tables, designs = designs)
