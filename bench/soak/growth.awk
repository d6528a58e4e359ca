# Reads samples "seconds sandbox name value" and says what grows: a line fitted through what comes after a fifth of the time. Exits with 1 if anything does.
# Growth counts if the line rises by more than is tolerated over the time it covers, and by more than three times what its points scatter would explain.
{
  key = $2 " " $3
  if (!(key in n)) { order[++keys] = key }
  i = ++n[key]; at[key, i] = $1; value[key, i] = $4
  if ($1 > last) { last = $1 }
}

function tolerance(name, mean) {
  if (name ~ /bytes$/) { return mean * 0.02 > 1048576 ? mean * 0.02 : 1048576 }
  if (name ~ /-kb$/) { return mean * 0.05 > 1536 ? mean * 0.05 : 1536 }
  return 1.5
}

END {
  printf "%-12s %-20s %12s %12s %12s %10s %10s\n", "sandbox", "what", "first", "last", "mean", "rise", "allowed"
  for (k = 1; k <= keys; k++) {
    key = order[k]; split(key, part, " ")
    m = 0; st = sv = stt = stv = 0
    for (i = 1; i <= n[key]; i++) {
      if (at[key, i] < last / 5) { continue }
      m++; t = at[key, i]; v = value[key, i]
      st += t; sv += v; stt += t * t; stv += t * v
      if (m == 1) { from = t; first = v }
      to = t; final = v
    }
    if (m < 3) { printf "%s: only %d samples after the first fifth\n", key, m; bad = 1; continue }
    spread = stt - st * st / m
    slope = spread > 0 ? (stv - st * sv / m) / spread : 0
    mean = sv / m
    squares = 0
    for (i = 1; i <= n[key]; i++) {
      if (at[key, i] >= last / 5) { squares += (value[key, i] - mean - slope * (at[key, i] - st / m)) ^ 2 }
    }
    error = spread > 0 ? sqrt(squares / (m - 2) / spread) : 0
    rise = slope * (to - from)
    allowed = tolerance(part[2], mean)
    grows = rise > allowed && slope > 3 * error
    printf "%-12s %-20s %12d %12d %12d %10d %10d%s\n", part[1], part[2], first, final, mean, rise, allowed, grows ? "  grows" : ""
    if (grows) { bad = 1 }
  }
  exit bad
}
