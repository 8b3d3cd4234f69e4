# Residuals and group effects as lme4 has them, for the report's pictures.
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
save_reference("left", versions("lme4"))
