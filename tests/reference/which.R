# The R calls of the chooser (helpers/data/which.json), each run once on the data it names.
# Writes which.json beside this script: Rscript tests/reference/which.R

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
setwd(file.path(dirname(gsub("~+~", " ", script, fixed = TRUE)), "..", ".."))
source("tests/reference/common.R")

tree <- jsonlite::fromJSON("helpers/data/which.json", simplifyVector = FALSE)
files <- c(classrooms.csv = "tests/reference/classrooms.csv", radon.csv = "helpers/data/radon.csv",
           three_levels.csv = "helpers/data/three_levels.csv")
lines <- function(code) paste(unlist(code), collapse = "\n")

# What statsmodels gives where it does not give the same: the model's own errors, or CR1S.
others <- c(
  model = "sqrt(diag(as.matrix(stats::vcov(fit))))",
  CR1S = "sqrt(diag(as.matrix(clubSandwich::vcovCR(fit, data[[cluster]], 'CR1S'))))",
  "CR1S two ways" = "sqrt(diag(sandwich::vcovCL(fit, ~ firm + year, type = 'HC1')))")

for (name in names(tree$ends)) {
  end <- tree$ends[[name]]
  sample <- lines(tree$samples[[end$sample]]$r)
  for (file in names(files)) sample <- gsub(file, files[[file]], sample, fixed = TRUE)
  code <- lines(end$r)
  rm(list = intersect(c("data", "fit"), ls()))
  suppressWarnings(suppressMessages(eval(parse(text = sample), globalenv())))
  cat(name, "\n")
  add(name, code, note = paste("data:", end$sample))
  if (!is.null(end$statsmodels_is)) {
    cluster <- if ("group" %in% names(data)) "group" else "school"
    add(paste0(name, ".", end$statsmodels_is), others[[end$statsmodels_is]])
  }
  # so that the next end meets nothing of this one's packages
  for (package in c("lmerTest", "clubSandwich", "sandwich", "survey", "survival", "nlme", "lme4")) {
    attached <- paste0("package:", package)
    if (attached %in% search()) suppressWarnings(detach(attached, character.only = TRUE))
  }
}

packages <- c("lme4", "lmerTest", "pbkrtest", "clubSandwich", "sandwich", "nlme", "survey", "survival")
save_reference("which", versions(packages))
