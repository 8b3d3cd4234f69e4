# Five data sets that nobody made for this course, as R gives them to a file, and what R says of them.
# Also the mean of a finite population of schools, for notebook 13.
# Writes report.json beside this script: Rscript tests/reference/report.R
#
# airquality and iris come with R, Orthodont with nlme, Dyestuff2 with lme4. flights.csv holds, for the
# 327 346 flights from New York in 2013 whose arrival delay [minutes] is known (US Bureau of Transportation
# Statistics, by way of the package nycflights13), their number, sum and sum of squares by carrier. Rows
# with these sums give the fits that the flights themselves give.

# The repository root, wherever the script is started from (Rscript writes "~+~" for a space).
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages(library(lme4))

# ---- the data -----------------------------------------------------------------------------------
define({
  airquality <- datasets::airquality
  iris <- datasets::iris
  dyestuff2 <- lme4::Dyestuff2
  orthodont <- as.data.frame(nlme::Orthodont)
  orthodont$Subject <- factor(as.character(orthodont$Subject))
  sums <- read.csv("tests/reference/flights.csv")
  # for each carrier: its mean, then as many a step above it as below
  alike <- function(rows, sum, squares) {
    pairs <- rows %/% 2
    step <- sqrt((squares - sum^2 / rows) / (2 * pairs))
    sum / rows + c(rep(c(step, -step), pairs), rep(0, rows %% 2))
  }
  flights <- data.frame(
    carrier = rep(sums$carrier, sums$rows),
    arr_delay = unlist(mapply(alike, sums$rows, sums$sum, sums$sum_of_squares))
  )
})

# ---- what R says of each ------------------------------------------------------------------------
define({
  asked <- list(
    airquality = list(f = Ozone ~ Temp, g = "Month"),
    iris = list(f = Sepal.Length ~ 1, g = "Species"),
    dyestuff2 = list(f = Yield ~ 1, g = "Batch"),
    orthodont = list(f = distance ~ age + Sex, g = "Subject"),
    flights = list(f = arr_delay ~ 1, g = "carrier")
  )
  tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10), calc.derivs = FALSE,
                       check.conv.singular = "ignore")
  ask <- function(name) {
    f <- asked[[name]]$f
    g <- asked[[name]]$g
    data <- na.omit(get(name)[c(all.vars(f), g)])
    data[[g]] <- factor(data[[g]])
    for (x in all.vars(f)[-1]) if (is.numeric(data[[x]])) data[[x]] <- data[[x]] - mean(data[[x]])
    mixed <- update(f, as.formula(sprintf(". ~ . + (1 | %s)", g)))
    within <- setdiff(attr(terms(f), "term.labels"), "Sex")      # Sex does not vary within a Subject
    list(
      data = data, g = data[[g]],
      lmer = lmer(mixed, data, control = tight),
      lm = lm(f, data),
      dummies = lm(reformulate(c("0", g, within), f[[2]]), data)
    )
  }
  fits <- lapply(setNames(nm = names(asked)), ask)
  KR <- function(fit) {        # df of each coefficient; pbkrtest's matrices are N x N
    p <- length(fixef(fit))
    V <- pbkrtest::vcovAdj(fit)
    sapply(seq_len(p), function(k) pbkrtest::Lb_ddf(diag(p)[k, ], vcov(fit), V))
  }
})
for (name in names(asked)) {
  fit <- sprintf("fits$%s", name)
  record <- function(what, command, ...) add(paste(name, what, sep = "."), sprintf(command, fit), ...)
  record("n", "unname(nrow(%s$data))")
  record("fixef", "fixef(%s$lmer)")
  record("se", "sqrt(diag(as.matrix(vcov(%s$lmer))))")
  record("psi_theta", "as.data.frame(VarCorr(%s$lmer))$vcov")
  record("cp.coef", "coef(%s$lm)")
  record("cp.se", "sqrt(diag(vcov(%s$lm)))")
  J <- nlevels(fits[[name]]$g)
  record("np.mean", sprintf("mean(coef(%%s$dummies)[1:%d])", J))
  record("np.mean_se", sprintf("sqrt(sum(vcov(%%s$dummies)[1:%d, 1:%d])) / %d", J, J, J))
  if (name != "flights") {
    record("CR2.se", "sqrt(diag(as.matrix(clubSandwich::vcovCR(%1$s$lm, cluster = %1$s$g, type = 'CR2'))))")
    record("CR2.df", "clubSandwich::coef_test(%1$s$lm, vcov = 'CR2', cluster = %1$s$g)$df_Satt")
    if (name != "dyestuff2") {
      record("df_KR", "KR(%s$lmer)")
      record("se_KR", "sqrt(diag(as.matrix(pbkrtest::vcovAdj(%s$lmer))))")
    }
  }
}

# ---- the flights again, from their sums ---------------------------------------------------------
# lme4's criterion is 3.4 million here, and its last digit hides the variance ratio beyond five
# digits. The root of the derivative in r = psi / theta does not.
define({
  n <- sums$rows
  m <- sums$sum / n
  within <- sum(sums$sum_of_squares - sums$sum^2 / n)
  at <- function(r) {
    w <- n / (1 + n * r)
    mean <- sum(w * m) / sum(w)
    rss <- within + sum(w * (m - mean)^2)
    theta <- rss / (sum(n) - 1)
    list(slope = sum(w) - sum(w^2) / sum(w) - sum(w^2 * (m - mean)^2) / theta,
         theta = theta, psi = r * theta, mean = mean, se = sqrt(theta / sum(w)))
  }
  root <- at(uniroot(function(r) at(r)$slope, c(0.001, 1), tol = 1e-15)$root)
})
add("flights.exact", "unlist(root[c('mean', 'se', 'psi', 'theta')])")

# ---- the mean of K schools, 160 of them seen ----------------------------------------------------
define({
  hsb <- read.csv("helpers/data/hsb.csv")
  nj <- as.numeric(table(hsb$school))
  own <- as.numeric(tapply(hsb$math, hsb$school, mean))
  H0 <- lmer(math ~ 1 + (1 | school), hsb, control = tight)
  v <- as.data.frame(VarCorr(H0))$vcov
  # best linear unbiased prediction of the mean of K schools from the J means: weights and error,
  # from the equations with a Lagrange multiplier for unbiasedness
  mean_of_K <- function(K) {
    J <- length(nj)
    left <- rbind(cbind(diag(v[1] + v[2] / nj), 1), c(rep(1, J), 0))
    w <- solve(left, c(rep(v[1] / K, J), 1))[1:J]
    error <- sum(w^2 * (v[1] + v[2] / nj)) - 2 * sum(w) * v[1] / K + v[1] / K
    c(estimate = sum(w * own), se = sqrt(error))
  }
})
for (K in c(160, 200, 320, 1000)) add(sprintf("hsb.K%d", K), sprintf("mean_of_K(%d)", K))
as_file <- function(data) paste0(paste(capture.output(write.csv(data, row.names = FALSE)), collapse = "\n"), "\n")
meta <- c(
  source = "datasets, nlme, lme4; tests/reference/flights.csv; helpers/data/hsb.csv",
  versions(c("lme4", "nlme", "pbkrtest", "clubSandwich"))
)
files <- lapply(setNames(nm = c("airquality", "iris", "dyestuff2", "orthodont")), function(n) as_file(get(n)))
save_reference("report", meta, files = files)
