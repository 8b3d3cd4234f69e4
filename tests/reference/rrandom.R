# R's random numbers, to test the Python rewrite of set.seed, runif and rnorm to the last bit.
# Writes rrandom.json beside this script: Rscript tests/reference/rrandom.R

# The repository root, wherever the script is started from (Rscript writes "~+~" for a space).
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")

# What follows holds for R's defaults, set here lest a profile has changed them.
RNGkind("Mersenne-Twister", "Inversion", "Rejection")

# Numbers are stored as text of 17 digits: they parse to the very doubles that R drew.
exactly <- function(x) sprintf("%.17g", x)

# Run a command after set.seed(seed) and keep the first and last three numbers and the sum.
# (R adds in extended precision: compare the sum with a tolerance or with math.fsum, the numbers
# themselves exactly.)
draw <- function(id, seed, call, ...) {
  command <- sprintf("set.seed(%d); %s", seed, call)
  x <- eval(parse(text = command))
  values[[id]] <<- list(
    command = command,
    seed = seed,
    n = length(x),
    ...,
    first = I(exactly(head(x, 3))),
    last = I(exactly(tail(x, 3))),
    sum = exactly(sum(x))
  )
}

# ---- runif and rnorm ----------------------------------------------------------------------------
# The Mersenne Twister makes 624 words at a time: runif takes one a number, rnorm two. So 625 and
# 2000 numbers cross the blocks; sd 30, 20 and 1629 are the question's own.
seeds <- c(0L, 1L, 42L, 476781L, 2147483647L, -5L)
for (seed in seeds) {
  for (n in c(1L, 7L, 312L, 313L, 624L, 625L, 1000L, 2000L)) {
    draw(sprintf("runif.seed%d.n%d", seed, n), seed, sprintf("runif(%d)", n))
    draw(sprintf("rnorm.seed%d.n%d", seed, n), seed, sprintf("rnorm(%d)", n))
  }
  draw(sprintf("rnorm.seed%d.mean1629.sd20", seed), seed, "rnorm(200, 1629, 20)",
       mean = 1629, sd = 20)
  draw(sprintf("rnorm.seed%d.mean-0.3.sd0.7", seed), seed, "rnorm(50, -0.3, 0.7)",
       mean = -0.3, sd = 0.7)
  draw(sprintf("runif.seed%d.min-2.max5", seed), seed, "runif(50, -2, 5)", min = -2, max = 5)
  draw(sprintf("runif.seed%d.min0.1.max0.3", seed), seed, "runif(50, 0.1, 0.3)",
       min = 0.1, max = 0.3)
}

# ---- several kinds of numbers from one stream ---------------------------------------------------
stream <- function(id, seed, call) {
  command <- sprintf("set.seed(%d); %s", seed, call)
  x <- eval(parse(text = command))
  values[[id]] <<- list(command = command, seed = seed, value = exactly(x))
}
for (seed in seeds) {
  stream(sprintf("mixture.seed%d", seed), seed, "c(runif(3), rnorm(2), runif(1))")
  # The first normal takes the last word of one block and the first of the next.
  stream(sprintf("mixture_across.seed%d", seed), seed,
         "c(tail(runif(623), 3), rnorm(2), runif(1))")
}

# ---- the normal quantile ------------------------------------------------------------------------
# Wichura's AS 241 has a middle part, |p - 0.5| <= 0.425, and two tail parts that meet where
# sqrt(-log(p)) = 5, which is p = exp(-25), about 1.4e-11.
p <- c(
  1e-300, 1e-200, 1e-100, 1e-50, 1e-20, 1e-15, 1e-12, 1.38e-11, exp(-25), 1.39e-11, 1e-10, 1e-8,
  1e-5, 1e-4, 1e-3, 0.005, 0.01, 0.025, 0.05, 0.07, 0.0749999, 0.075, 0.0750001, 0.1, 0.2, 0.25,
  1 / 3, 0.4, 0.4999999, 0.5, 0.5000001, 0.6, 2 / 3, 0.75, 0.8, 0.9, 0.9249999, 0.925, 0.9250001,
  0.95, 0.975, 0.99, 0.999, 1 - 1e-5, 1 - 1e-8, 1 - 1e-11, 1 - 1e-12, 1 - 2^-52, 1 - 2^-53
)
values$qnorm <- list(command = "qnorm(p)", p = exactly(p), value = exactly(qnorm(p)))

meta <- c(versions(NULL), list(RNGkind = RNGkind()))
save_reference("rrandom", meta)
