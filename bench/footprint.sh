#!/usr/bin/env bash
# What a sandbox that sleeps holds: prints lines "name value unit". Arguments: seconds to watch it, the bundle, the runtime's command with its global flags.
# Runs itself in a pid namespace of its own, so that every process there is the sandbox's.
set -eu
if [ "${1:-}" != --inside ]; then
  exec unshare --pid --fork --kill-child --mount-proc "$0" --inside "$@"
fi
seconds=$2
bundle=$3
shift 3
id=footprint-$RANDOM

processes() { # all but this shell and what it starts for counting
  local pid parent
  for pid in /proc/[0-9]*; do
    pid=${pid#/proc/}
    parent=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status" 2>/dev/null) || continue
    [ "$pid" = $$ ] || { [ "$parent" = $$ ] && [[ $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) == *footprint.sh* ]]; } || echo "$pid"
  done
}

ticks() { # PID...: user and system time
  local pid
  for pid in "$@"; do
    sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null || true
  done | awk '{ sum += $12 + $13 } END { print sum + 0 }'
}

"$@" run --detach --bundle "$bundle" "$id" </dev/null >/dev/null 2>&1
sleep 2
mapfile -t pids < <(processes)
for pid in "${pids[@]}"; do
  cat "/proc/$pid/smaps_rollup" 2>/dev/null || true
done | awk '/^Pss:/ { sum += $2 } END { printf "idle-memory %.2f MiB\n", sum / 1024 }'
before=$(ticks "${pids[@]}")
sleep "$seconds"
after=$(ticks "${pids[@]}")
echo "idle-cpu $before $after $seconds $(getconf CLK_TCK)" | awk '{ printf "%s %.2f %%\n", $1, ($3 - $2) / $5 / $4 * 100 }'
for _ in 1 2 3; do
  start=$(date +%s%N)
  "$@" exec "$id" /bin/mb --nothing </dev/null >/dev/null 2>&1 || continue
  echo "$(($(date +%s%N) - start))"
done | sort -n | awk 'NR == 1 { printf "exec-to-exit %.1f ms\n", $1 / 1e6 }'
"$@" kill "$id" KILL >/dev/null 2>&1 || true
sleep 1
"$@" delete --force "$id" >/dev/null 2>&1 || true
