# Needs CAP_NET_ADMIN. iptables(8) and ip6tables(8), the ones that speak nf_tables and the old ones: rules in and out, errors, saving and restoring, what rules count.
r() { "$@" 2>&1; echo "rc=$? $*"; }
rules() {
  local ipt=$1 net=$2 host=$3 icmp=$4 reject=$5 own=$6 inside=$7 to=$8 pool=$9
  r $ipt -L -n -v; r $ipt -P INPUT DROP; r $ipt -A INPUT -i lo -j ACCEPT; r $ipt -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; r $ipt -A INPUT -m state --state INVALID -j DROP; r $ipt -N WEB
  r $ipt -A WEB -p tcp --dport 80 -j ACCEPT; r $ipt -A WEB -p tcp -m multiport --dports 443,8080:8090 -m comment --comment "tls and friends" -j ACCEPT; r $ipt -A WEB -p udp --sport 53 -j DROP
  r $ipt -A WEB -j REJECT --reject-with $reject; r $ipt -A WEB -p tcp -j REJECT --reject-with tcp-reset; r $ipt -A INPUT -p tcp -s $net -d $host -g WEB; r $ipt -I INPUT 2 $icmp -m limit --limit 5/sec --limit-burst 7 -j ACCEPT
  r $ipt -A FORWARD -m addrtype --dst-type LOCAL -j RETURN; r $ipt -A FORWARD -m addrtype ! --src-type UNICAST --limit-iface-in -j DROP; r $ipt -A OUTPUT -m mark --mark 0x1/0xff -j LOG --log-prefix "out: "; r $ipt -A OUTPUT -m owner --uid-owner 1000 -j ACCEPT
  r $ipt -A OUTPUT ! -o lo -p tcp --tcp-flags SYN,RST SYN -m length --length 40:60 -j ACCEPT; r $ipt -A INPUT -m mac --mac-source 02:00:00:00:00:01 -j DROP; r $ipt -A INPUT -m pkttype --pkt-type multicast -j DROP; r $ipt -A OUTPUT -m statistic --mode nth --every 3 --packet 0 -j ACCEPT
  r $ipt -t mangle -A PREROUTING -i eth+ -j MARK --set-mark 0x2a; r $ipt -t mangle -A OUTPUT -j CONNMARK --save-mark; r $ipt -t mangle -A PREROUTING -m connmark --mark 3 -j CONNMARK --restore-mark
  r $ipt -t nat -N DOCKER; r $ipt -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER; r $ipt -t nat -A OUTPUT ! -d $own -m addrtype --dst-type LOCAL -j DOCKER; r $ipt -t nat -A POSTROUTING -s $inside ! -o docker0 -j MASQUERADE
  r $ipt -t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination $to; r $ipt -t nat -A OUTPUT -p tcp --dport 99 -j REDIRECT --to-ports 9999; r $ipt -t nat -A POSTROUTING -p udp --dport 9 -j SNAT --to-source $pool --random
  r $ipt -t raw -A PREROUTING -p udp --dport 53 -j NOTRACK
  r $ipt -D INPUT 1; r $ipt -D WEB -p udp --sport 53 -j DROP; r $ipt -X WEB; r $ipt -A INPUT -j NOSUCH; r $ipt -A FORWARD -j MASQUERADE; r $ipt -t nat -A PREROUTING -j MASQUERADE; r $ipt -N WEB; r $ipt -A WEB -j WEB; r $ipt -t nosuch -L
  r $ipt -R WEB 1 -p tcp --dport 8081 -j ACCEPT; r $ipt -C WEB -p tcp --dport 8081 -j ACCEPT; r $ipt -C WEB -p tcp --dport 8082 -j ACCEPT; r $ipt -E WEB WEB2
  for t in filter nat mangle raw; do r $ipt -t $t -S; r $ipt -t $t -L -n --line-numbers; done
  r $ipt -Z
  $ipt-save | grep -v '^#' >/tmp/saved; cat /tmp/saved; r $ipt -F; r $ipt -t nat -F; r $ipt -t nat -X; r $ipt -X; $ipt-save | grep -v '^#'
  r $ipt-restore </tmp/saved; $ipt-save | grep -v '^#' | diff - /tmp/saved && echo restored; r $ipt -P INPUT ACCEPT
  for t in filter nat mangle raw; do $ipt -t $t -F; $ipt -t $t -X; done
}
for kind in nft legacy; do
  rules iptables-$kind 198.51.100.0/24 198.51.100.1 "-p icmp --icmp-type echo-request" icmp-host-prohibited 127.0.0.0/8 198.18.0.0/16 198.18.0.2:80 198.51.100.7-198.51.100.9:1000-2000
  rules ip6tables-$kind 2001:db8::/64 2001:db8::1 "-p icmpv6 --icmpv6-type echo-request" icmp6-adm-prohibited ::1 2001:db8:1::/64 '[2001:db8::2]:80' '[2001:db8::7-2001:db8::9]:1000-2000'
  ipt=iptables-$kind
  $ipt -A OUTPUT -p udp --dport 7401 -j DROP; $ipt -A INPUT -p tcp --dport 7402 -j REJECT; $ipt -A INPUT -p tcp --dport 7403 -j REJECT --reject-with tcp-reset; $ipt -N COUNT; $ipt -A INPUT -p udp -j COUNT; $ipt -A COUNT -p udp --dport 7404 -m conntrack --ctstate NEW
  $ipt -t nat -A OUTPUT -d 127.0.0.11 -p udp --dport 53 -j DNAT --to-destination 127.0.0.1:7405; $ipt -t nat -A POSTROUTING -s 127.0.0.1 -p udp --sport 7405 -j SNAT --to-source :53; $ipt -t nat -A OUTPUT -p tcp --dport 7406 -m owner --uid-owner 0 -j REDIRECT --to-ports 7407
  python3 - <<'END'
import errno, socket
def udp(port): s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', port)); s.settimeout(5); return s
client = udp(0)
try: print(7401, client.sendto(b'x', ('127.0.0.1', 7401)))
except OSError as e: print(7401, e.strerror)
for port in 7402, 7403:
    with socket.socket() as s: s.settimeout(5); print(port, errno.errorcode.get(s.connect_ex(('127.0.0.1', port)), 'connected'))
counted = udp(7404)
for _ in range(3): client.sendto(b'12345', ('127.0.0.1', 7404)); counted.recv(9)
resolver = udp(7405); client.sendto(b'who', ('127.0.0.11', 53)); data, peer = resolver.recvfrom(9); resolver.sendto(b'me', peer); print(data, client.recvfrom(9))
with socket.socket() as listener:
    listener.bind(('127.0.0.1', 7407)); listener.listen()
    with socket.create_connection(('127.0.0.1', 7406), 5) as c: a, _ = listener.accept(); print(a.getsockname(), c.getpeername())
END
  for chain in "INPUT" "COUNT -Z" "COUNT" "OUTPUT" "OUTPUT -t nat"; do $ipt -L $chain -n -v -x; done | sed "s/ [0-9]* packets, [0-9]* bytes//"
  for t in filter nat mangle raw; do $ipt -t $t -F; $ipt -t $t -X; done
done
grep -c . /proc/net/ip_tables_names
