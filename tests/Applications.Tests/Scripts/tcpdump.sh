# Needs CAP_NET_RAW. tcpdump(8): filters that the kernel runs, directions, snapshot lengths, one interface and all of them, files written and read again.
ip link set lo up
cat >/tmp/traffic.py <<'END'
import socket, time
def udp(port): s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', port)); return s
sender, receiver, other = udp(9101), udp(9102), udp(9103)
listener = socket.socket(); listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); listener.bind(('127.0.0.1', 9104)); listener.listen()
for i in range(1, 4): sender.sendto(b'x' * i, ('127.0.0.1', 9103)); sender.sendto(b'y' * 10 * i, ('127.0.0.1', 9102))
client = socket.create_connection(('127.0.0.1', 9104)); server, _ = listener.accept()
client.sendall(b'hello'); server.recv(9); server.close(); client.recv(9); client.close()
v6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); v6.bind(('::1', 9105)); v6.sendto(b'six', ('::1', 9105))
END
# Captures as many frames as the first argument says while the traffic passes, and shows them without what differs from run to run.
capture() {
  count=$1; shift
  echo "== $*"
  rm -f /tmp/err
  timeout 60 tcpdump -Z root -t -n -c $count "$@" >/tmp/out 2>/tmp/err & pid=$!
  until grep -q listening /tmp/err 2>/dev/null || ! kill -0 $pid; do sleep 0.02; done
  python3 /tmp/traffic.py
  wait $pid; echo "rc=$?"
  grep -E 'listening|captured|dropped' /tmp/err
  sed -E 's/(seq|ack|win|id|val|ecr) [0-9:]+/\1/g; s/\.(3|4|5|6)[0-9]{4}([ :])/.PORT\2/g; s/, options \[[^]]*\]//; s/^[^ ]+ +(Out|In) /\1 /' /tmp/out
}
capture 3 -i lo udp port 9102
capture 2 -i lo 'udp and dst port 9103 and udp[4:2] > 9'
capture 1 -i lo 'tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn and port 9104'
capture 1 -i lo 'tcp[tcpflags] & tcp-push != 0 and dst port 9104 and greater 57 and less 90'
capture 1 -i lo ip6 and udp
capture 2 -i any udp port 9102 and inbound
capture 3 -i lo -s 44 -q udp and not port 9103
capture 3 -i lo -Q in udp port 9102
capture 3 -i lo -w /tmp/file.pcap udp port 9102
tcpdump -t -n -r /tmp/file.pcap 2>/dev/null
tcpdump -t -n -r /tmp/file.pcap 'len > 60' 2>/dev/null | wc -l
tcpdump -D | grep -oE '^[0-9]+\.(lo|any)' | cut -d. -f2 | sort
tcpdump -i nosuch 2>&1 | tail -1
tcpdump -i lo 'no such filter' 2>&1 | tail -1
