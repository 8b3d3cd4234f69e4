# Fits for `make bench`. A request a line on stdin, fields apart by tabs; an answer a line on stdout.
#   version PACKAGE                     -> its version, or NA
#   load    FILE ROWS NAMES             -> the number of rows; doubles, column after column, the group last
#   fit     FUNCTION FORMULA            -> seconds, psi, standard error of the intercept; of *_slope, where the
#                                          slope of the last term varies, three entries of psi, error of the slope

frame <- group <- NULL    # what was loaded last
last <- function(formula) rev(attr(terms(as.formula(formula)), "term.labels"))[1]

fits <- list(
  lmer = function(formula, group) {
    fit <- lme4::lmer(as.formula(paste(formula, "+ (1 |", group, ")")), frame)
    c(lme4::VarCorr(fit)[[1]][1], sqrt(vcov(fit)[1, 1]))
  },
  lme = function(formula, group) {
    fit <- nlme::lme(as.formula(formula), frame, as.formula(paste("~ 1 |", group)))
    c(as.matrix(fit$modelStruct$reStruct[[1]])[1] * fit$sigma^2, sqrt(fit$varFix[1, 1]))
  },
  lmer_slope = function(formula, group) {
    fit <- lme4::lmer(as.formula(paste(formula, "+ (1 +", last(formula), "|", group, ")")), frame)
    c(lme4::VarCorr(fit)[[1]][c(1, 2, 4)], sqrt(vcov(fit)[2, 2]))
  },
  lme_slope = function(formula, group) {
    fit <- nlme::lme(as.formula(formula), frame, as.formula(paste("~", last(formula), "|", group)))
    c(as.matrix(fit$modelStruct$reStruct[[1]])[c(1, 2, 4)] * fit$sigma^2, sqrt(fit$varFix[2, 2]))
  }
)

requests <- list(
  version = function(package) {
    if (package == "R") return(as.character(getRversion()))
    if (requireNamespace(package, quietly = TRUE)) as.character(packageVersion(package)) else NA
  },
  load = function(file, rows, names) {
    names <- strsplit(names, ",")[[1]]
    values <- readBin(file, "double", as.integer(rows) * length(names))
    frame <<- as.data.frame(matrix(values, ncol = length(names), dimnames = list(NULL, names)))
    group <<- names[length(names)]
    frame[[group]] <<- factor(frame[[group]])
    rows
  },
  fit = function(name, formula) {
    start <- Sys.time()
    found <- fits[[name]](formula, group)
    seconds <- as.numeric(Sys.time()) - as.numeric(start)
    sprintf("%.17g", c(seconds, found))
  }
)

input <- file("stdin", "r")
while (length(line <- readLines(input, 1)) == 1) {
  words <- strsplit(line, "\t")[[1]]
  answer <- tryCatch(do.call(requests[[words[1]]], as.list(words[-1])), error = function(e) { message(conditionMessage(e)); "error" })
  cat(answer, "\n")
  flush(stdout())
}
