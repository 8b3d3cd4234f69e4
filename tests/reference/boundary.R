# Kenward and Roger's degrees of freedom and standard errors where psi is estimated as 0, by pbkrtest.
# Every group has the mean 0, so the fit is on the boundary whatever the sizes.
# Writes boundary.json beside this script: Rscript tests/reference/boundary.R

file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(file), "..", ".."))
source("tests/reference/common.R")

define({
  library(lme4)
  level <- function(sizes) data.frame(
    group = factor(rep(seq_along(sizes), sizes)),
    y = unlist(lapply(sizes, function(n) seq_len(n) - (n + 1) / 2)))
  fit <- function(sizes) lmer(y ~ 1 + (1 | group), level(sizes), control = lmerControl(calc.derivs = FALSE))
  kr <- function(sizes) {
    m <- suppressMessages(fit(sizes))
    V <- pbkrtest::vcovAdj(m)
    c(se = sqrt(V[1, 1]), df = pbkrtest::Lb_ddf(1, vcov(m), V), plain = sqrt(vcov(m)[1, 1]), singular = isSingular(m))
  }
})
add("even", "kr(rep(10, 20))")
add("mixed", "kr(c(2, 3, 5, 10, 20))")
add("one_large", "kr(c(100, rep(2, 9)))")
add("three", "kr(c(2, 2, 50))")
meta <- c(source = "made in the script", versions(c("lme4", "pbkrtest")))
save_reference("boundary", meta)
