#!/usr/bin/env bash
# What iperf3 gets across a veth pair between a container and a Linux host, and between two network namespaces inside the container: prints lines "name value unit".
# Arguments: a folder to work in, the runtime's command with its global flags. The namespaces are its own and end with it. IPERF_SECONDS is how long each measure takes (2).
set -eu
folder=$1
shift
seconds=${IPERF_SECONDS:-2}
id=links-$RANDOM
host=198.51.100.1
container=198.51.100.2
pids=()

clean_up() {
  trap - EXIT
  "$@" kill "$id" KILL >/dev/null 2>&1 || true
  [ -z "${running:-}" ] || wait "$running" 2>/dev/null || true
  "$@" delete --force "$id" >/dev/null 2>&1 || true
  kill "${pids[@]}" 2>/dev/null || true
  rm -rf "$folder/links"
}
trap 'clean_up "$@"' EXIT

await() { # COMMAND...: until it succeeds, ten seconds at most
  local i
  for i in $(seq 100); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  echo "links: $*: not yet" >&2
  return 1
}

in_host() { nsenter --net="/proc/${pids[0]}/ns/net" "$@"; }
in_container() { nsenter --net="/proc/${pids[1]}/ns/net" "$@"; }
rate() { sed -n '/"sum_received"/,/}/s/.*"bits_per_second":[^0-9]*\([0-9.e+]*\).*/\1/p' | awk -v name="$1" 'NR == 1 { printf "%s %.1f MB/s\n", name, $1 / 8e6 }'; }

for i in 0 1; do
  unshare --net sleep 300 &
  pids+=($!)
  await sh -c "[ \"\$(cat /proc/$!/comm)\" = sleep ]"
done
in_host sh -e -c "ip link set lo up; ip link add eth0 type veth peer name eth0 netns ${pids[1]}; ip addr add $host/24 dev eth0; ip link set eth0 up"
in_container sh -e -c "ip link set lo up; ip addr add $container/24 dev eth0; ip link set eth0 up"
case $(basename "$1") in runc) ;; *) in_container sh -c 'echo 8 >/proc/sys/net/ipv4/conf/all/arp_ignore' ;; esac # the sandbox answers, not the namespace that it has taken

mkdir -p "$folder"/links/root/{bin,proc,dev,tmp}
for program in busybox iperf3 ip; do
  cp -L "$(command -v "$program")" "$folder/links/root/bin/"
  { ldd "$(command -v "$program")" 2>/dev/null || true; } | grep -o '/[^ ]*' | while read -r library; do
    install -D "$library" "$folder/links/root$library"
  done
done
cat >"$folder/links/root/bin/namespaces" <<'END'
#!/bin/busybox sh
# iperf3 between this network namespace and another.
busybox unshare -n busybox sleep 60 &
other=$!
until [ "$(busybox readlink /proc/$other/ns/net)" != "$(busybox readlink /proc/self/ns/net)" ]; do busybox usleep 100000; done
/bin/ip link add near type veth peer name far
/bin/ip link set far netns $other
/bin/ip addr add 198.18.0.1/24 dev near
/bin/ip link set near up
busybox nsenter -t $other -n /bin/ip addr add 198.18.0.2/24 dev far
busybox nsenter -t $other -n /bin/ip link set far up
busybox nsenter -t $other -n iperf3 -s -1 >/dev/null &
until busybox nsenter -t $other -n busybox netstat -ltn | busybox grep -q :5201; do busybox usleep 100000; done
iperf3 -c 198.18.0.2 -t "$1" -J
busybox kill $other
END
chmod +x "$folder/links/root/bin/namespaces"
capabilities='["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_KILL"]'
cat >"$folder/links/config.json" <<END
{
  "ociVersion": "1.0.2",
  "process": {
    "user": { "uid": 0, "gid": 0 },
    "args": ["/bin/iperf3", "-s"],
    "env": ["PATH=/bin"],
    "cwd": "/",
    "capabilities": { "effective": $capabilities, "permitted": $capabilities, "bounding": $capabilities }
  },
  "root": { "path": "root" },
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"] },
    { "destination": "/tmp", "type": "tmpfs", "source": "tmpfs" }
  ],
  "linux": { "namespaces": [{ "type": "pid" }, { "type": "network", "path": "/proc/${pids[1]}/ns/net" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }] }
}
END
"$@" run --bundle "$folder/links" "$id" </dev/null >/dev/null 2>&1 &
running=$!
await in_host timeout 1 bash -c "exec 3<>/dev/tcp/$container/5201"
in_host timeout 60 iperf3 -c "$container" -t "$seconds" -J | rate link-to-container
in_host timeout 60 iperf3 -c "$container" -t "$seconds" -R -J | rate link-from-container
timeout 60 "$@" exec "$id" /bin/namespaces "$seconds" </dev/null | rate link-namespaces
