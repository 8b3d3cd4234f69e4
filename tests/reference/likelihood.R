# The likelihood of a model with one random intercept, written out: profile intervals to the last
# digits, and the expected information of the two variances. The scripts that need these source this
# file; nothing in it uses lme4's optimiser or its interpolation.
#
# psi is the variance between groups, theta the variance within (lme4's theta is another thing).

# What the likelihood needs of the data. The outcome is replaced by its least-squares residuals, so
# that nothing large cancels; b holds the coefficients taken out.
sufficient <- function(formula, data, group) {
  X <- model.matrix(formula, data)
  y <- model.response(model.frame(formula, data))
  b <- qr.coef(qr(X), y)
  Z <- cbind(X, as.numeric(y - X %*% b))
  means <- rowsum(Z, group) / as.numeric(table(group))
  list(b = b, n = as.numeric(table(group)), means = means,
       within = crossprod(Z - means[as.character(group), , drop = FALSE]), N = length(y))
}

# Squared length of V^(-1/2) times the residuals, where coefficient k, if given, is held at
# b[k] + by and the others are at their best.
weighted_rss <- function(s, psi, theta, k = NULL, by = 0) {
  A <- s$within / theta + crossprod(s$means * sqrt(s$n / (theta + s$n * psi)))
  last <- ncol(A)
  if (!is.null(k)) {
    A[, last] <- A[, last] - by * A[, k]
    A[last, ] <- A[last, ] - by * A[k, ]
    A <- A[-k, -k, drop = FALSE]
    last <- last - 1
  }
  if (last == 1) return(A[1, 1])
  x <- seq_len(last - 1)
  A[last, last] - sum(A[x, last] * solve(A[x, x, drop = FALSE], A[x, last]))
}

# -2 log likelihood (ML).
minus2loglik <- function(s, psi, theta, k = NULL, by = 0) {
  s$N * log(2 * pi) + (s$N - length(s$n)) * log(theta) + sum(log(theta + s$n * psi)) +
    weighted_rss(s, psi, theta, k, by)
}

# Least value of f(exp(t)) and where, for t from `from` to `to`, by a scan and golden section; with
# `zero`, f(0) too. The value is right to rounding, since f is flat there.
least <- function(f, from, to, zero = FALSE) {
  t <- seq(from, to, length.out = 61)
  at <- vapply(t, function(u) f(exp(u)), 0)
  i <- which.min(at)
  best <- optimize(function(u) f(exp(u)), t[c(max(i - 1, 1), min(i + 1, 61))], tol = 1e-10)
  found <- list(at = exp(best$minimum), value = best$objective)
  if (zero && f(0) <= found$value) list(at = 0, value = f(0)) else found
}

# Least -2 log likelihood over psi, theta and the coefficients, but for coefficient k if it is held.
over_ratio <- function(s, k = NULL, by = 0) {
  least(function(r) {
    rss <- weighted_rss(s, r, 1, k, by)
    s$N * (1 + log(2 * pi * rss / s$N)) + sum(log1p(r * s$n))
  }, -25, 15, zero = TRUE)
}

# Profile intervals from the ML likelihood, exact: the ends are where the profile deviance has risen
# by the 95 % point of chi-square. Lower and upper of the sd between groups, of sigma, and of each
# coefficient in turn. Where the sd between groups can be 0, its lower end is 0.
exact_profile <- function(formula, data, group, level = 0.95) {
  s <- sufficient(formula, data, droplevels(factor(group)))
  best <- over_ratio(s)
  theta <- weighted_rss(s, best$at, 1) / s$N
  psi <- best$at * theta
  about <- log(theta)
  limit <- best$value + qchisq(level, 1)
  # The end on one side of the estimate: double the step until it is outside, then find the root.
  # A scan shows no other root on the way there.
  end <- function(f, estimate, step) {
    while (f(estimate + step) < limit) step <- 2 * step
    path <- vapply(estimate + step * (1:24) / 24, f, 0) > limit
    stopifnot(sum(diff(path) != 0) == !path[1])
    g <- function(x) f(estimate + step * x) - limit
    estimate + step * uniroot(g, c(0, 1), tol = 1e-14)$root
  }
  both <- function(f, estimate, step) c(end(f, estimate, -step), end(f, estimate, step))

  of_sd <- function(sd) {
    least(function(t) minus2loglik(s, sd^2, t), about - 8, about + 8)$value
  }
  of_sigma <- function(sigma) {
    least(function(p) minus2loglik(s, p, sigma^2), about - 25, about + 15, zero = TRUE)$value
  }
  sd <- sqrt(psi)
  lower <- if (psi == 0 || of_sd(0) < limit) 0 else end(of_sd, sd, -sd)
  ends <- c(lower, end(of_sd, sd, max(sd, sqrt(theta) / 10)))
  # sigma has its own step: the log, since it cannot fall to 0.
  of_log <- function(t) of_sigma(exp(t))
  ends <- c(ends, exp(both(of_log, about / 2, 0.1)))
  V <- s$within / theta + crossprod(s$means * sqrt(s$n / (theta + s$n * psi)))
  x <- seq_along(s$b)
  se <- sqrt(diag(solve(V[x, x, drop = FALSE])))
  shift <- solve(V[x, x, drop = FALSE], V[x, length(x) + 1])      # GLS less least squares
  for (k in x) {
    ends <- c(ends, s$b[[k]] + both(function(by) over_ratio(s, k, by)$value, shift[k], 2 * se[k]))
  }
  ends
}

# SEs of psi and theta from the inverse of the expected REML information, 0.5 tr(P G_i P G_j) with
# P = V^-1 - V^-1 X (X'V^-1 X)^-1 X'V^-1, G_1 = ZZ' and G_2 = I: N x N matrices.
se_variances <- function(X, group, psi, theta) {
  G1 <- outer(as.character(group), as.character(group), "==") * 1
  inverse <- chol2inv(chol(psi * G1 + theta * diag(nrow(X))))
  VX <- inverse %*% X
  P <- inverse - VX %*% solve(crossprod(X, VX), t(VX))
  PG <- P %*% G1
  traces <- c(sum(PG * t(PG)), sum(PG * P), sum(PG * P), sum(P * P))     # P is symmetric
  information <- 0.5 * matrix(traces, 2)
  sqrt(diag(solve(information)))
}

# The same for a fit of lmer's, at its variances.
se_variances_of <- function(fit) {
  v <- as.data.frame(lme4::VarCorr(fit))$vcov
  se_variances(lme4::getME(fit, "X"), lme4::getME(fit, "flist")[[1]], v[1], v[2])
}

# REML likelihood ratio for psi = 0: lmer's criterion against that of least squares.
lrt_psi <- function(fit, ols) {
  max(0, -2 * as.numeric(logLik(ols, REML = TRUE)) - lme4::REMLcrit(fit))
}

# Its p value. Under psi = 0 it is 0 or chi-square on 1 df, each half the time, so P(T >= t) is half
# of chi-square's for t > 0, and 1 for t = 0. Where the fit is singular the statistic is 0.
p_psi <- function(fit, ols) {
  if (lme4::isSingular(fit, tol = 1e-8)) return(1)
  0.5 * pchisq(lrt_psi(fit, ols), 1, lower.tail = FALSE)
}

# Profile intervals as lme4 gives them, for the sd between groups, sigma, and each coefficient.
lme4_profile <- function(fit) {
  t(suppressMessages(confint(profile(fit, signames = FALSE))))
}
