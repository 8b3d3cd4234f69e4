# What the reference scripts share: defining things, recording values, writing JSON.
#
# A script calls define({ ... }) for the objects it works with, add(id, command, note) for each
# value it records, and save_reference(name, ...) at the end. The working directory is the
# repository root (each script sees to that), so paths in the commands start there.

values <- list()         # what add() has recorded, by id
setup_lines <- NULL      # what define() has run, as text

# Run the statements of a block in the global environment, and keep their text: it goes into the
# JSON file as meta$setup, so that every recorded command can be run from the file alone.
define <- function(block) {
  for (statement in as.list(substitute(block))[-1]) {
    eval(statement, globalenv())
    setup_lines <<- c(setup_lines, deparse(statement, width.cutoff = 90))
  }
}

# Evaluate an R command, given as text, and record it with its value under an id.
# A matrix is stored column by column; a vector keeps its names.
add <- function(id, command, note = NULL) {
  stopifnot(!id %in% names(values))
  value <- suppressMessages(eval(parse(text = command), globalenv()))
  entry <- list(command = command)
  entry$value <- if (is.numeric(value)) as.numeric(value) else as.character(value)
  if (!is.matrix(value)) entry$names <- names(value)
  entry$note <- note
  values[[id]] <<- entry
  invisible(value)
}

# Versions of R and of the packages a script uses, for meta.
versions <- function(packages) {
  found <- lapply(packages, function(package) as.character(packageVersion(package)))
  c(R = R.version.string, setNames(found, packages))
}

# JSON, written here because jsonlite stops at 15 digits, and not every double is read back from
# these as it was. A list becomes an object, a vector of length one a bare value (unless it is
# wrapped in I()), NA becomes null.
to_json <- function(x, indent = "") {
  if (is.list(x)) {
    deeper <- paste0(indent, "  ")
    members <- vapply(x, to_json, "", indent = deeper)
    lines <- paste0(deeper, quoted(names(x)), ": ", members, collapse = ",\n")
    return(paste0("{\n", lines, "\n", indent, "}"))
  }
  items <- if (is.character(x)) {
    quoted(x)
  } else if (is.logical(x)) {
    tolower(as.character(x))
  } else {
    digits(x)
  }
  items[is.na(x)] <- "null"
  one <- length(items) == 1 && !inherits(x, "AsIs")
  if (one) items else paste0("[", paste(items, collapse = ", "), "]")
}

# A number in as few digits as give it back: 15 where they do, else 17.
digits <- function(x) {
  stopifnot(!is.infinite(x))
  short <- sprintf("%.15g", x)
  ifelse(suppressWarnings(as.numeric(short)) == x, short, sprintf("%.17g", x))
}

quoted <- function(strings) {
  vapply(strings, function(s) as.character(jsonlite::toJSON(jsonlite::unbox(s))), "")
}

# Write tests/reference/<name>.json: meta, values, and whatever else is given.
save_reference <- function(name, meta, ...) {
  if (!is.null(setup_lines)) meta$setup <- paste(setup_lines, collapse = "\n")
  meta$script <- paste0(name, ".R")
  text <- to_json(list(meta = meta, values = values, ...))
  stopifnot(jsonlite::validate(text))
  path <- file.path("tests", "reference", paste0(name, ".json"))
  connection <- file(path, open = "wb")     # binary: the same line ends on every system
  writeLines(text, connection, sep = "\n")
  close(connection)
  cat(length(values), "values written to", path, "\n")
}
