# Reference values for the sandwich around classes in schools: clubSandwich on lmer by school, of unbalanced
# data. Writes around_nested.json beside this script: Rscript tests/reference/around_nested.R

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages({library(lme4); library(clubSandwich)})

define({
  schools <- read.csv("helpers/data/three_levels.csv")
  schools <- schools[(schools$school * schools$class + 2 * schools$pupil) %% 5 > 0, ]
  schools <- schools[schools$school %% 4 > 0 | schools$class < 3, ]
  schools$x <- (schools$school * 7 + schools$class * 5 + schools$pupil * 3) %% 11
  schools$size <- ave(schools$x, schools$school)
  tight <- lmerControl(optCtrl = list(xtol_abs = 1e-14, ftol_abs = 1e-15, xtol_rel = 0, ftol_rel = 0),
                       check.conv.grad = "ignore")
  fit <- function(REML) lmer(score ~ treated + x + size + (1 | school / class), schools, REML, control = tight)
})
for (method in c("reml", "ml")) {
  command <- sprintf("fit(%s)", method == "reml")
  m <- eval(parse(text = command))
  for (kind in c("CR0", "CR1", "CR1S", "CR2", "CR3")) {
    add(paste(method, kind, sep = "."),
        sprintf("unname(sqrt(diag(vcovCR(m, cluster = schools$school, type = '%s'))))", kind),
        paste("m is", command))
  }
  add(paste0(method, ".CR2_df"),
      "coef_test(m, vcov = vcovCR(m, cluster = schools$school, type = 'CR2'), test = 'Satterthwaite')$df_Satt",
      paste("m is", command))
}
save_reference("around_nested", versions(c("lme4", "clubSandwich")))
