# Pooling of estimates whose variances are known, for notebook 16: metafor's answers for the eight schools, the 20 class
# means and two made-up sets. Writes metafor.json beside this script: Rscript tests/reference/metafor.R

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages(library(metafor))

define({
  schools <- data.frame(y = c(28, 8, -3, 7, -1, 1, 18, 12), se = c(15, 10, 16, 11, 9, 11, 10, 18))
  classes <- read.csv("tests/reference/classrooms.csv")
  theta <- summary(lm(score ~ factor(classroom), classes))$sigma^2
  rooms <- data.frame(y = tapply(classes$score, classes$classroom, mean), se = sqrt(theta / 10))
  uneven <- data.frame(y = c(.2, 1.9, -.4, 1.1, 3.6, .9, 2.2), se = c(.3, .9, .5, .2, 1.1, .4, .7))
  tight <- list(threshold = 1e-13, maxiter = 1000, tol = 1e-12)
  pair <- data.frame(y = c(1, 4), se = c(.5, 1))
})

for (data in c("schools", "rooms", "uneven", "pair")) {
  for (method in c("EE", "DL", "REML", "PM", "ML")) {
    fit <- sprintf("rma(y, se^2, data = %s, method = \"%s\", control = tight)", data, method)
    add(sprintf("%s.%s", data, method),
        sprintf("with(%s, c(tau2, b, se, ci.lb, ci.ub))", fit), "tau2, mean, SE, 95%% interval by z")
    if (method != "EE") {
      knapp <- sub(", control", ", test = \"knha\", control", fit)
      add(sprintf("%s.%s.knha", data, method),
          sprintf("with(%s, c(tau2, b, se, ci.lb, ci.ub, dfs))", knapp),
          "Hartung and Knapp: tau2, mean, SE, 95% interval by t, df")
    }
  }
  add(sprintf("%s.Q", data), sprintf("with(rma(y, se^2, data = %s, method = \"EE\"), c(QE, QEp))", data),
      "Cochran's Q and its p value")
  add(sprintf("%s.Q_profile", data),
      sprintf("confint(rma(y, se^2, data = %s), control = list(tol = 1e-12, tau2.max = 1e6))$random[1, 2:3]", data),
      "95% interval of tau2 by the Q profile")
}

save_reference("metafor", as.list(versions("metafor")))
