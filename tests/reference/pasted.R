# Run the R code of one session as if pasted: blocks in order, each value shown as the console shows it.
# Called by pasted.py, in a folder with the files that the site offers: Rscript pasted.R SESSION.json FOUND.json

arguments <- commandArgs(trailingOnly = TRUE)
.session <- jsonlite::fromJSON(arguments[1], simplifyVector = FALSE)
options(width = 80, digits = 7, warn = 1)

# A value as numbers, none where it is something else.
.numbers <- function(x) {
  numbers <- tryCatch(suppressWarnings(as.numeric(unlist(x))), error = function(fault) NA)
  if (anyNA(numbers)) numeric() else numbers
}

.found <- lapply(.session, function(part) {
  file <- tempfile(fileext = ".R")
  writeLines(part$code, file)
  shown <- capture.output(value <- source(file, globalenv(), print.eval = TRUE, keep.source = FALSE)$value)
  list(shown = I(as.character(shown)), value = I(.numbers(value)))
})
writeLines(jsonlite::toJSON(.found, digits = NA, null = "null"), arguments[2])

.used <- sort(loadedNamespaces())
.base <- rownames(installed.packages(priority = "base"))
.versions <- lapply(setdiff(.used, .base), function(name) as.character(packageVersion(name)))
writeLines(jsonlite::toJSON(c(list(R = R.version.string), setNames(.versions, setdiff(.used, .base))),
                            auto_unbox = TRUE), paste0(arguments[2], ".versions"))
