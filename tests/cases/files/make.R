# The same twelve rows as R writes them, and columns that readers of R's files get wrong: Rscript make.R, in this folder.
rows <- data.frame(
  site = factor(rep(c("low", "mid", "high"), each = 4), levels = c("low", "mid", "high")),
  id = sprintf("%02d", 1:12),
  y = c(1.5, 2, 2.25, 3, 4.125, 5, 5.75, 6.1, 7.3, 8.7, 9, 10.9),
  n = c(1:11, NA),
  stringsAsFactors = FALSE
)
saveRDS(rows, "rows.rds")
saveRDS(rows, "rows_ascii.rds", ascii = TRUE)
saveRDS(rows, "rows_xz.rds", compress = "xz")
other <- data.frame(a = 1:2)
save(rows, other, file = "two.RData")
write.table(rows, "rows_table.txt")
write.table(rows, "rows_table_na.txt", row.names = FALSE, quote = FALSE, sep = "\t")
write.csv(rows, "rows.csv")
write.csv2(rows, "rows2.csv")

# bit64's integer64: whole numbers in the bits of doubles, the least of them NA
whole <- function(low, high) readBin(writeBin(as.integer(rbind(low, high)), raw()), "double", length(low))
odd <- data.frame(g = rep(c("a", "b"), each = 2), y = c(1, 2, 3, 5))
odd$big <- structure(whole(c(7L, 8L, 9L, 0L), c(1L, 1L, 1L, 0L)), class = "integer64")
odd$gap <- structure(c(whole(1:3, rep(0L, 3)), readBin(as.raw(c(0, 0, 0, 0, 0, 0, 0, 0x80)), "double")), class = "integer64")
odd$day <- as.Date(c("2020-02-28", "2020-02-29", "2020-03-01", NA))
odd$lab <- structure(c(2, 1, 10, 2), labels = c(low = 1, mid = 2, high = 10), class = c("haven_labelled", "vctrs_vctr", "double"))
saveRDS(odd, "odd.rds")
saveRDS(list(1, 2), "list.rds")
saveRDS(transform(rows[1:4, ], m = I(matrix(1:8, 4))), "matrix.rds")
