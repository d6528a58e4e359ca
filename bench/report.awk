# Makes the table (Markdown, file `table`) and the chart (SVG, file `chart`) from lines "runtime name value unit".
{
  if (!($2 in unit)) { order[++measures] = $2; unit[$2] = $4 }
  sample[$1, $2, ++count[$1, $2]] = $3
}

function median(runtime, name,    n, i, j, v, held) {
  n = count[runtime, name]
  if (n == 0) { return -1 }
  for (i = 1; i <= n; i++) { v[i] = sample[runtime, name, i] }
  for (i = 2; i <= n; i++) {
    held = v[i]
    for (j = i - 1; j > 0 && v[j] > held; j--) { v[j + 1] = v[j] }
    v[j + 1] = held
  }
  return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

# How many times the native cost: of a rate, the native rate over this one; so that less is always better.
function ratio(runtime, name,    native, own) {
  native = median("native", name); own = median(runtime, name)
  if (native <= 0 || own <= 0) { return -1 }
  return unit[name] == "MB/s" ? native / own : own / native
}

function shown(value, name) { return value < 0 ? "failed" : sprintf(value < 10 ? "%.2f %s" : "%.0f %s", value, unit[name]) }
function times(r) { return r < 0 ? "-" : sprintf(r < 10 ? "%.2f×" : "%.0f×", r) }

function bar(r, y, colour, label,    width) {
  width = r <= 0 ? 0 : 420 * (log(r) / log(10) + 1) / 3.5
  if (width < 1) { width = 1 }
  if (width > 420) { width = 420 }
  printf "<rect x=\"170\" y=\"%d\" width=\"%.1f\" height=\"8\" fill=\"%s\"/><text x=\"%.1f\" y=\"%d\" font-size=\"9\">%s</text>\n", y, width, colour, 174 + width, y + 8, label > chart
}

END {
  printf "# Performance\n\nWhat system calls and short exchanges cost under Moat's platforms, and under runc on the same kernel. `make bench` measures and writes this page.\n\n" > table
  printf "Medians of %d rounds in which the runtimes take turns, %d ms for each measure, on %s.\n", rounds, ms, host > table
  printf "A ratio says how many times the native cost it is (of a rate: native over this one); less is better.\nFigures of different runs compare badly, since the machine varies; their ratios compare well.\n\n" > table
  printf "![Ratios to native, on a logarithmic scale](ratios.svg)\n\n| measure | native | ptrace | ratio | systrap | ratio |\n|---|--:|--:|--:|--:|--:|\n" > table
  height = 46 + measures * 24
  printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"680\" height=\"%d\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n", height > chart
  printf "<rect x=\"170\" y=\"8\" width=\"10\" height=\"8\" fill=\"#2a6fb0\"/><text x=\"184\" y=\"16\">systrap</text><rect x=\"240\" y=\"8\" width=\"10\" height=\"8\" fill=\"#c9a227\"/><text x=\"254\" y=\"16\">ptrace</text><text x=\"310\" y=\"16\">(times native, logarithmic)</text>\n" > chart
  for (power = -1; power <= 2; power++) {
    x = 170 + 420 * (power + 1) / 3.5
    printf "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"34\" y2=\"%d\" stroke=\"%s\"/><text x=\"%.1f\" y=\"31\" font-size=\"9\" text-anchor=\"middle\">%g×</text>\n", x, x, height - 6, power == 0 ? "#444444" : "#dddddd", x, 10 ^ power > chart
  }

  for (i = 1; i <= measures; i++) {
    name = order[i]; p = ratio("ptrace", name); s = ratio("systrap", name)
    printf "| %s | %s | %s | %s | %s | %s |\n", name, shown(median("native", name), name), shown(median("ptrace", name), name), times(p), shown(median("systrap", name), name), times(s) > table
    y = 38 + (i - 1) * 24
    printf "<text x=\"164\" y=\"%d\" text-anchor=\"end\">%s</text>\n", y + 13, name > chart
    bar(s, y, "#2a6fb0", times(s)); bar(p, y + 10, "#c9a227", times(p))
  }

  print "</svg>" > chart
}
