# Makes the table (Markdown, file `table`) and the chart (SVG, file `chart`) from bench/targets.tsv and lines "runtime measure value unit".
BEGIN { FS = "\t" }
FNR == 1 { file++; if (file == 2) { FS = " "; $0 = $0 } }
file == 1 && /^#/ { next }
file == 1 { order[++measures] = $2; section[$2] = $1; title[$2] = $3; target[$2] = $4; next }
{
  unit[$2] = $4; has[$1] = 1
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

# What it costs in times of another: of a rate, the other's over this one; so that less is always better.
function ratio(runtime, name, other,    base, own) {
  base = median(other, name); own = median(runtime, name)
  if (base <= 0 || own <= 0) { return -1 }
  return unit[name] ~ /\/s$/ ? base / own : own / base
}

function shown(value, name,    u) {
  if (value < 0) { return "–" }
  u = unit[name]
  if (u == "ns" && value >= 10000) { value /= 1000; u = "µs" }
  if (u == "us") { u = "µs" }
  if (u == "req/s" && value >= 10000) { value /= 1000; u = "k/s" }
  return sprintf(value < 10 && value > 0 ? "%.2f %s" : "%.0f %s", value, u)
}

function times(r) { return r < 0 ? "–" : sprintf(r < 10 ? "%.2f×" : "%.0f×", r) }

# "yes", "no", or nothing where there is no target or no figure.
function verdict(name,    own, t) {
  if (target[name] == "") { return "" }
  t = target[name] + 0
  own = target[name] ~ / / ? median("systrap", name) : ratio("systrap", name, "native")
  if (own < 0) { return "" }
  wanted++
  if (own <= t + (t == 0 ? 0.25 : t * 0.03)) { met++; return "yes" }
  return "**no**"
}

function aim(name) { return target[name] == "" ? "" : target[name] ~ / / ? target[name] : target[name] "×" }

function bar(r, y, class, label,    width) {
  width = r <= 0 ? 0 : 420 * (log(r) / log(10) + 1) / 3.5
  if (width < 1) { width = 1 }
  if (width > 420) { width = 420 }
  printf "<rect class=\"%s\" x=\"250\" y=\"%d\" width=\"%.1f\" height=\"7\"/><text x=\"%.1f\" y=\"%d\" font-size=\"9\">%s</text>\n", class, y, width, 254 + width, y + 7, label > chart
}

function legend(x, class, text) { printf "<rect class=\"%s\" x=\"%d\" y=\"8\" width=\"10\" height=\"8\"/><text x=\"%d\" y=\"16\">%s</text>\n", class, x, x + 14, text > chart }

function chart_begin(height,    power, x) {
  printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"%d\" font-family=\"sans-serif\" font-size=\"11\">\n", height > chart
  print "<title>Costs in times of native, on a logarithmic scale</title>" > chart
  print "<style>text{fill:#24292f}.systrap{fill:#2a6fb0}.ptrace{fill:#b8860b}.gvisor{fill:#8c8c8c}.grid{stroke:#d8dee4}.one{stroke:#57606a}.aim{stroke:#c4314b;stroke-width:2}" > chart
  print "@media(prefers-color-scheme:dark){text{fill:#d1d7e0}.systrap{fill:#58a6ff}.ptrace{fill:#d4a72c}.gvisor{fill:#768390}.grid{stroke:#373e47}.one{stroke:#909dab}.aim{stroke:#ff7b72}}</style>" > chart
  legend(250, "systrap", "Moat systrap"); legend(345, "ptrace", "Moat ptrace")
  if (peer != "") { legend(435, "gvisor", "gVisor systrap") }
  printf "<line class=\"aim\" x1=\"540\" x2=\"540\" y1=\"7\" y2=\"17\"/><text x=\"546\" y=\"16\">target</text>\n" > chart
  for (power = -1; power <= 2; power++) {
    x = 250 + 420 * (power + 1) / 3.5
    printf "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"34\" y2=\"%d\"/><text x=\"%.1f\" y=\"31\" font-size=\"9\" text-anchor=\"middle\">%g×</text>\n", power == 0 ? "one" : "grid", x, x, height - 6, x, 10 ^ power > chart
  }
}

function chart_row(name, y,    x, tall) {
  tall = peer == "" ? 18 : 26
  printf "<text x=\"244\" y=\"%d\" text-anchor=\"end\">%s</text>\n", y + 12, name > chart
  bar(ratio("systrap", name, "native"), y, "systrap", times(ratio("systrap", name, "native")))
  bar(ratio("ptrace", name, "native"), y + 8, "ptrace", times(ratio("ptrace", name, "native")))
  if (peer != "") { bar(ratio("gvisor-systrap", name, "native"), y + 16, "gvisor", times(ratio("gvisor-systrap", name, "native"))) }
  if (target[name] != "" && target[name] !~ / /) {
    x = 250 + 420 * (log(target[name]) / log(10) + 1) / 3.5
    printf "<line class=\"aim\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n", x, x, y - 1, y + tall - 2 > chart
  }
}

function heading(text) {
  printf "\n## %s\n\n", text > table
  if (peer == "") {
    print "| | native | systrap | ratio | target | met | ptrace | ratio |\n|---|--:|--:|--:|--:|:-:|--:|--:|" > table
  } else {
    print "| | native | systrap | ratio | target | met | gVisor systrap | ratio | ptrace | ratio | gVisor ptrace | ratio |\n|---|--:|--:|--:|--:|:-:|--:|--:|--:|--:|--:|--:|" > table
  }
}

function pair(runtime, name) { return sprintf(" %s | %s |", shown(median(runtime, name), name), times(ratio(runtime, name, "native"))) }

END {
  printf "# Performance\n\nWhat programs cost under Moat's platforms, and under runc (native) on the same kernel%s. `make bench` measures and writes this page.\n\n", peer == "" ? "" : ", and under gVisor " peer > table
  printf "%s, on %s, %s.\nMedians of %d round(s) in which the runtimes take turns (%d for applications), %d ms for each small measure. systrap is the default platform: its figures have targets.\n", date, host, native, rounds, app_rounds, ms > table
  printf "A ratio says how many times the native cost it is (of a rate: native over this one); less is better; a target is met within three per cent of it.\nFigures of different runs compare badly, since the machine varies; their ratios compare well.\n\n" > table
  printf "![Ratios to native, on a logarithmic scale](ratios.svg)\n" > table
  for (i = 1; i <= measures; i++) { rows += ratio("systrap", order[i], "native") > 0 && order[i] !~ /^(idle|installed)/ }
  step = peer == "" ? 22 : 30
  chart_begin(46 + rows * step)
  y = 38
  for (i = 1; i <= measures; i++) {
    name = order[i]
    if (!(name in unit)) { continue }
    if (section[name] != last) { last = section[name]; heading(toupper(substr(last, 1, 1)) substr(last, 2)) }
    printf "| %s | %s |%s %s | %s |", title[name], shown(median("native", name), name), pair("systrap", name), aim(name), verdict(name) > table
    if (peer != "") { printf "%s", pair("gvisor-systrap", name) > table }
    printf "%s", pair("ptrace", name) > table
    if (peer != "") { printf "%s", pair("gvisor-ptrace", name) > table }
    printf "\n" > table
    if (ratio("systrap", name, "native") > 0 && name !~ /^(idle|installed)/) { chart_row(name, y); y += step }
  }
  printf "\n%d of %d targets are met.\n", met, wanted > table
  print "</svg>" > chart
}
