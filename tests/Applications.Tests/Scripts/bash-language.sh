# What shells do all day: arrays, substitutions, pipes, traps, jobs, coprocesses, here-documents.
set -u
declare -A count; for word in a b a c b a; do count[$word]=$(( ${count[$word]:-0} + 1 )); done
for word in a b c; do echo "$word ${count[$word]}"; done
echo "${BASH_VERSION%%.*} $(( 2 ** 40 )) ${HOME/root/user} $(printf '%05d|%-5s|%x' 42 ab 255)"
mapfile -t lines < <(printf '%s\n' one two three); echo "${#lines[@]} ${lines[-1]}"
coproc cat; echo through >&"${COPROC[1]}"; read -r answer <&"${COPROC[0]}"; echo "$answer"; eval "exec ${COPROC[1]}>&-"; wait "$COPROC_PID"; echo "coproc $?"
(trap 'echo terminated; exit 3' TERM; kill -TERM $BASHPID; echo never); echo "subshell $?"
pids=(); for i in 1 2 3 4; do (exit "$i") & pids+=($!); done; sum=0; for pid in "${pids[@]}"; do wait "$pid"; sum=$(( sum + $? )); done; echo "sum $sum"
cat <<END | while IFS=: read -r user _ uid _; do echo "$user=$uid"; done
$(grep -E '^(root|daemon|nobody):' /etc/passwd)
END
exec 5<> /tmp/both; echo written >&5; read -r -u 5 nothing; echo "[${nothing:-empty}]"; exec 5>&-; cat /tmp/both
ulimit -n; umask; pwd; [[ "2024-01-02" =~ ^([0-9]+)-([0-9]+) ]] && echo "${BASH_REMATCH[2]}"
timeout 0.2 sleep 5; echo "timeout $?"; { sleep 0.1; echo late; } & wait -n; echo "waited $?"
seq 1 1000 | while read -r n; do :; done; echo done; yes moat | head -c 1000000 | md5sum
