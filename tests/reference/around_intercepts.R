# Reference values for the sandwich around random intercepts: clubSandwich on lmer fits, of unbalanced groups
# with predictors between and within, by REML and ML, and of one with psi = 0. Writes around_intercepts.json
# beside this script: Rscript tests/reference/around_intercepts.R

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages({library(lme4); library(clubSandwich)})

define({
  radon <- read.csv("helpers/data/radon.csv")
  radon$y <- log(ifelse(radon$radon == 0, .1, radon$radon))
  hsb <- read.csv("helpers/data/hsb.csv")
  hsb$mean_ses <- ave(hsb$ses, hsb$school)
  hsb$cses <- hsb$ses - hsb$mean_ses
  tight <- lmerControl(check.conv.singular = "ignore", check.conv.grad = "ignore",
                       optCtrl = list(xtol_abs = 1e-14, ftol_abs = 1e-15, xtol_rel = 0, ftol_rel = 0))
  fit <- function(formula, data, REML = TRUE) lmer(formula, data, REML = REML, control = tight)
})
# Groups that are less alike than rows of two: psi-hat is 0.
set.seed(3)
J <- 14
sizes <- rep(c(2, 3, 5, 9), length.out = J)
g <- rep(seq_len(J), sizes)
apart <- data.frame(g = g, x = round(rnorm(length(g)) + rnorm(J)[g], 2), w = round(rnorm(J), 2)[g])
noise <- rnorm(length(g))
apart$y <- round(1 + apart$x + noise - 0.9 * ave(noise, g), 3)

models <- list(
  radon = c("y ~ floor + log_uranium + (1 | county)", "radon"),
  hsb = c("math ~ cses + mean_ses + sector + (1 | school)", "hsb"),
  apart = c("y ~ x + w + (1 | g)", "apart")
)
for (name in names(models)) {
  for (method in c("reml", "ml")) {
    command <- sprintf("fit(%s, %s, REML = %s)", models[[name]][1], models[[name]][2], method == "reml")
    m <- eval(parse(text = command))
    say <- function(id, text) add(paste(name, method, id, sep = "."), text, paste("m is", command))
    say("psi", "as.numeric(VarCorr(m)[[1]])")
    say("se", "unname(sqrt(diag(as.matrix(vcov(m)))))")
    for (kind in c("CR0", "CR1", "CR1S", "CR2", "CR3")) {
      say(kind, sprintf("unname(sqrt(diag(as.matrix(vcovCR(m, type = '%s')))))", kind))
    }
    say("CR2_df", "coef_test(m, vcov = 'CR2')$df")
  }
}
meta <- c(source = "helpers/data", versions(c("lme4", "clubSandwich")))
save_reference("around_intercepts", meta, tables = list(apart = lapply(apart, I)))
