# Petersen's simulated panel of 500 firms in 10 years, as the R package sandwich has it, clustered one and two
# ways. Writes petersen.csv and petersen.json beside this script: Rscript tests/reference/petersen.R

# The repository root, wherever the script is started from (Rscript writes "~+~" for a space).
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")
suppressMessages({
  library(sandwich)
  library(clubSandwich)
})

# The numbers were single precision once: nine digits are all they have.
data(PetersenCL, package = "sandwich")
written <- PetersenCL
written[c("x", "y")] <- lapply(written[c("x", "y")], function(v) sprintf("%.9g", v))
write.csv(written, "tests/reference/petersen.csv", row.names = FALSE, quote = FALSE, eol = "\n")

define({
  panel <- read.csv("tests/reference/petersen.csv")
  m <- lm(y ~ x, panel)
  two <- function(type, cadjust = TRUE, data = panel, fix = FALSE)
    vcovCL(lm(y ~ x, data), cluster = data[c("firm", "year")], type = type, cadjust = cadjust, fix = fix)
  few <- subset(panel, firm <= 5 & year <= 5 & (firm + year) %% 3 > 0)
  row.names(few) <- NULL
  absorbed <- subset(panel, firm <= 20 & (firm + year) %% 4 > 0)
  dummies <- lm(y ~ x + I(x^2) + factor(firm), absorbed)
  slopes <- 2:3
})
stopifnot(max(abs(panel$x - PetersenCL$x), abs(panel$y - PetersenCL$y)) < 1e-7)

se <- function(id, cov, note = NULL) add(id, sprintf("sqrt(diag(%s))", cov), note)
add("coef", "coef(m)")
se("firm.CR1S", 'vcovCL(m, cluster = panel$firm, type = "HC1")')
se("year.CR1S", 'vcovCL(m, cluster = panel$year, type = "HC1")')
se("two.CR0", 'two("HC0", cadjust = FALSE)')
se("two.CR1", 'two("HC0")')
se("two.CR1S", 'two("HC1")')
add("few.values", 'eigen(two("HC0", data = few))$values', "one is negative")
se("few.fixed", 'two("HC0", data = few, fix = TRUE)', "negative eigenvalues set to 0")
for (kind in c("CR0", "CR1", "CR1S", "CR2")) {
  se(paste0("absorbed.", kind), sprintf('vcovCR(dummies, absorbed$firm, "%s")[slopes, slopes]', kind),
     "firms as dummies, which count under CR1S")
}
add("absorbed.df", 'coef_test(dummies, "CR2", cluster = absorbed$firm)$df_Satt[slopes]',
    "dummy-inclusive")

save_reference("petersen", c(
  source = "sandwich::PetersenCL", versions(c("sandwich", "clubSandwich"))
))
