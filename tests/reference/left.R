# Residuals and group effects as lme4 has them, for the report's pictures; intervals and p values of the
# variances of six classrooms, from mean squares; exact intervals of the ozone of five months, of unequal sizes,
# whose pivots are residual sums of squares of lm and of gls in the metric of V(r).
# Writes left.json beside this script: Rscript tests/reference/left.R

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages(library(lme4))

define({
  clinics <- read.csv("tests/cases/random_slope.csv")
  clinics$centred <- clinics$dose - mean(clinics$dose)
  schools <- read.csv("helpers/data/three_levels.csv")
  means <- lmer(response ~ centred + (1 | clinic), clinics)
  slopes <- lmer(response ~ centred + (1 + centred | clinic), clinics)
  nested <- lmer(score ~ treated + (1 | school / class), schools)
  # the variance of a prediction given the variances: psi less the conditional variance
  over_sd <- function(m, g, k) {
    u <- ranef(m, condVar = TRUE)[[g]]
    conditional <- attr(u, "postVar")[k, k, ]
    u[[k]] / sqrt(VarCorr(m)[[g]][k, k] - conditional)
  }
})
add("slopes.residuals", "unname(resid(slopes))[1:40]")
add("slopes.z_means", "over_sd(means, 'clinic', 1)")
add("slopes.z_slopes", "over_sd(slopes, 'clinic', 2)")
add("nested.residuals", "unname(resid(nested))[1:40]")
add("nested.z_schools", "over_sd(nested, 'school', 1)")
define({
  rooms <- read.csv("tests/reference/classrooms.csv")
  rooms <- rooms[rooms$classroom <= 6, ]
  squares <- anova(lm(score ~ factor(classroom), rooms))
  J <- 6; n <- 10
  f <- squares[1, "F value"] / qf(c(.975, .025), J - 1, J * (n - 1))
  gain <- 2 * as.numeric(logLik(lmer(score ~ 1 + (1 | classroom), rooms)) - logLik(lm(score ~ 1, rooms), REML = TRUE))
})
add("rooms.theta", "squares[2, 'Mean Sq']")
add("rooms.theta_int", "squares[2, 'Sum Sq'] / qchisq(c(.975, .025), J * (n - 1))")
add("rooms.icc_int", "(f - 1) / (f - 1 + n)")
add("rooms.psi_int", "squares[1, 'Sum Sq'] * (1 - 1 / f) / (n * qchisq(c(.975, .025), J - 1))",
    "Williams (1962), Tukey (1951)")
add("rooms.psi_p", "pchisq(gain, 1, lower.tail = FALSE) / 2")
define({
  air <- na.omit(datasets::airquality[c("Ozone", "Temp", "Month")])
  within <- lm(Ozone ~ Temp + factor(Month), air)
  df <- c(between = nlevels(factor(air$Month)) - 1, within = df.residual(within))
  # what the months add to the residual sum of squares where psi / theta is r
  between <- function(r) {
    V <- diag(nrow(air)) + r * outer(air$Month, air$Month, "==")
    half <- backsolve(chol(V), cbind(model.matrix(~ Temp, air), air$Ozone), transpose = TRUE)
    sum(lm.fit(half[, 1:2], half[, 3])$residuals^2) - deviance(within)
  }
  ratio <- function(p) {
    above <- function(r) between(r) / df[["between"]] / (deviance(within) / df[["within"]]) -
      qf(p, df[["between"]], df[["within"]])
    if (above(0) <= 0) 0 else uniroot(above, c(0, 1e4), tol = 1e-12)$root
  }
  ends <- sapply(c(.975, .025), ratio)
})
add("ozone.theta_int", "deviance(within) / qchisq(c(.975, .025), df[['within']])")
add("ozone.icc_int", "ends / (1 + ends)", "Wald (1940); Seely and El-Bassiouni (1983)")
add("ozone.psi_int", "ends * sapply(ends, between) / qchisq(c(.975, .025), df[['between']])")
save_reference("left", versions("lme4"))
