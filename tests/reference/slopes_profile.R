# Profile likelihood intervals where slopes vary: lme4's confint(method = "profile"), whose likelihood is ML's,
# on radon (where the sd of the slopes may be 0), sleepstudy and High School and Beyond. Writes slopes_profile.json
# beside this script: Rscript tests/reference/slopes_profile.R

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages(library(lme4))

define({
  radon <- read.csv("helpers/data/radon.csv")
  radon$y <- log(ifelse(radon$radon == 0, .1, radon$radon))
  hsb <- read.csv("helpers/data/hsb.csv")
  hsb$mean_ses <- ave(hsb$ses, hsb$school)
  hsb$cses <- hsb$ses - hsb$mean_ses
  sleep <- lme4::sleepstudy
  tight <- lmerControl(check.conv.singular = "ignore", check.conv.grad = "ignore", check.conv.hess = "ignore",
                       optCtrl = list(xtol_abs = 1e-10, ftol_abs = 1e-11, xtol_rel = 0, ftol_rel = 0, maxeval = 3000))
  ends <- function(formula, data) {
    m <- lmer(formula, data, REML = FALSE, control = tight)
    p <- profile(m, delta = 0.25, devtol = 1e-6)   # ends are read off a spline through the steps
    suppressWarnings(confint(p))
  }
})
models <- list(
  radon = c("y ~ floor + (1 + floor | county)", "radon"),
  sleep = c("Reaction ~ Days + (1 + Days | Subject)", "sleep"),
  hsb = c("math ~ cses + mean_ses + (1 + cses | school)", "hsb")
)
for (name in names(models)) {
  cat(name, "\n")
  value <- NULL
  command <- sprintf("ends(%s, %s)", models[[name]][1], models[[name]][2])
  value <- eval(parse(text = command))
  add(name, "unname(value)", paste("value is", command, "; column by column; rows", paste(rownames(value), collapse = ", ")))
}
meta <- c(source = "helpers/data, lme4::sleepstudy", versions("lme4"))
save_reference("slopes_profile", meta)
