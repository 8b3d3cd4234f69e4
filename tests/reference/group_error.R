# The error of a partially pooled group mean averaged over the ratio of the variances, from lme4's own
# criterion and dense matrices. Writes group_error.json beside this script:
# Rscript tests/reference/group_error.R

# The repository root, wherever the script is started from (Rscript writes "~+~" for a space).
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressPackageStartupMessages(library(lme4))

# lmer's criterion at a value of its theta is devFunOnly's; its square is r = psi / theta. The error of group
# j is that of C_j beta + u_j: by Henderson's formula at each r in units of theta, and by integrate() over
# t = log(1 + n r), as is the precision 1 / theta.
define({
  averaged <- function(formula, data, C, estimate, some) {
    likelihood <- lmer(formula, data, REML = TRUE, devFunOnly = TRUE)
    parts <- lFormula(formula, data, REML = TRUE)
    X <- parts$X
    Z <- as.matrix(t(parts$reTrms$Zt))
    y <- model.response(parts$fr)
    n <- 1 / mean(1 / colSums(Z))
    at <- function(t) likelihood(sqrt(expm1(t) / n))
    top <- optimize(at, c(0, 12), tol = 1e-10)
    if (at(0) < top$objective) top <- list(minimum = 0, objective = at(0))
    density <- function(t) exp((top$objective - at(t)) / 2)
    XX <- crossprod(X)
    ZX <- crossprod(Z, X)
    Xy <- crossprod(X, y)
    Zy <- crossprod(Z, y)
    D <- colSums(Z)
    at_each <- function(t) {
      r <- expm1(t) / n
      w <- r / (1 + r * D)  # V^-1 = I - Z w Z'
      P <- solve(XX - crossprod(ZX, w * ZX))
      left <- Xy - crossprod(ZX, w * Zy)
      b <- P %*% left
      rss <- sum(y^2) - sum(w * Zy^2) - sum(left * b)
      s2 <- rss / (nrow(X) - ncol(X))
      mean <- C %*% b + w * (Zy - ZX %*% b)
      spread <- C - w * ZX
      list(precision = 1 / s2, own = as.vector(w + rowSums((spread %*% P) * spread)),
           away = as.vector(mean - estimate)^2)
    }
    ends <- function(f) {  # integrate() on pieces about the maximum
      about <- top$minimum + c(-4, -2, -1, -.5, -.2, 0, .2, .5, 1, 2, 4, 8, 13)
      cuts <- unique(pmax(0, c(0, about)))
      pieces <- Map(function(a, b) {
        integrate(Vectorize(f), a, b, rel.tol = 1e-9, abs.tol = 1e-14, subdivisions = 400)$value
      }, head(cuts, -1), tail(cuts, -1))
      sum(unlist(pieces))
    }
    mass <- ends(density)
    average <- function(what, j) ends(function(t) density(t) * at_each(t)[[what]][j]) / mass
    theta <- 1 / average("precision", 1)
    sqrt(sapply(some, function(j) theta * average("own", j) + average("away", j)))
  }
  fitted_means <- function(m, C) {
    b <- fixef(m)
    r <- getME(m, "theta")^2
    Z <- as.matrix(getME(m, "Z"))
    e <- getME(m, "y") - as.vector(getME(m, "X") %*% b)
    as.vector(C %*% b) + r / (1 + r * colSums(Z)) * as.vector(crossprod(Z, e))
  }
  to_the_end <- lmerControl(optCtrl = list(xtol_abs = 1e-14, ftol_abs = 1e-14))
  group_error <- function(formula, data, C, some, REML = TRUE) {
    m <- lmer(formula, data, REML = REML, control = to_the_end)
    averaged(formula, data, C, fitted_means(m, C), some)
  }
  rooms <- read.csv("tests/reference/classrooms.csv")
  rooms$classroom <- factor(rooms$classroom)
  uneven <- data.frame(  # sizes 2, 3, 4, 12; between the groups less than within
    y = c(3.1, 5.4, 2.2, 6.0, 4.9, 5.5, 1.0, 3.3, 4.1,
          2.5, 7.1, 3.9, 4.4, 5.0, 1.8, 6.6, 3.2, 4.7, 2.9, 5.8, 4.0),
    g = factor(rep(1:4, c(2, 3, 4, 12)))
  )
  radon <- read.csv("helpers/data/radon.csv")
  radon$y <- log(ifelse(radon$radon == 0, .1, radon$radon))
  radon$county <- factor(radon$county, levels = unique(radon$county))
  counties <- c(1, 2, 26, 36, 50)
})
add("classrooms.reml", "group_error(score ~ 1 + (1 | classroom), rooms, matrix(1, 20), 1:10)")
add("classrooms.ml", "group_error(score ~ 1 + (1 | classroom), rooms, matrix(1, 20), 1:3, REML = FALSE)")
add("uneven.reml", "group_error(y ~ 1 + (1 | g), uneven, matrix(1, 4), 1:4)", "psi is estimated as 0")
add("radon.counties", "levels(radon$county)[counties]", "the order of the two that follow")
add("radon.M1", "group_error(y ~ floor + (1 | county), radon, cbind(1, rep(0, 85)), counties)")
add("radon.M2", "group_error(y ~ floor + log_uranium + (1 | county), radon, cbind(1, 0, rep(0, 85)), counties)",
    "where both predictors are 0")
save_reference("group_error", versions("lme4"))
