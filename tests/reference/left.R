# Residuals and group effects as lme4 has them, for the report's pictures; intervals and p values of the
# variances of six classrooms, from mean squares.
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
add("rooms.psi_p", "pchisq(gain, 1, lower.tail = FALSE) / 2")
save_reference("left", versions("lme4"))
