# Files and text with coreutils.
cd /tmp && mkdir -p a/b/c && touch a/{1,2}.txt a/b/3.txt && ln a/1.txt a/hard && ln -s ../a a/soft && mkfifo a/fifo && mknod a/null c 1 3
ls -lAR --time-style=+ a | grep -v '^total' | sed 's/ 20[0-9].*//'
stat -c '%A %h %s %F %n' a a/1.txt a/soft a/fifo a/null | sed 's/ 4096 directory/ N directory/; s/ [0-9]* directory/ N directory/'
cp -a a copy && diff -r --exclude=fifo --exclude=null a copy && echo same
touch -d '2001-02-03 04:05:06.789012345 UTC' a/1.txt && stat -c %y a/hard && date -u -r a/1.txt +%s.%N
truncate -s 1G sparse && stat -c '%s %b' sparse && dd if=/dev/zero of=sparse bs=4096 count=1 seek=1000 conv=notrunc status=none && stat -c %s sparse && du -k sparse | cut -f1
split -b 1000 -d <(head -c 4500 /dev/zero) part. && wc -c part.* && cat part.* | sha256sum && shuf -i 1-1000 --random-source=/bin/bash | sort -n | md5sum
head -c 3000000 /dev/urandom > random && split -n 3 random third. && cat third.* | cmp - random && echo equal
chmod 4755 a/2.txt && chown 12:34 a/2.txt && stat -c '%a %u %g' a/2.txt; install -D -m 0700 -o 5 a/1.txt deep/er/file && stat -c '%a %u' deep/er/file
mktemp -d /tmp/x.XXXX | wc -c; realpath a/soft/b/../b; readlink -f a/soft; basename /x/y.c .c; dirname /x/y.c; nproc | grep -q '^[0-9]*$' && echo nproc
rm -rf copy && test ! -e copy && rmdir a/b/c && ! rmdir a 2>/dev/null && echo refused; mv a/b moved && find moved a -type f | sort; tac /etc/passwd | head -1; paste -d, <(seq 3) <(seq 4 6); comm -12 <(seq 5) <(seq 3 8); join <(printf 'a 1\nb 2\n') <(printf 'a x\nb y\n')
df -P /tmp | wc -l; df -P /dev/shm | awk 'NR == 2 { print $6 }'; sync && echo synced; id; whoami; groups; tty; hostname; uname -sm; cal 2>/dev/null; expr 6 \* 7; factor 360; numfmt --to=iec 1048576; od -An -tx1 <<< moat; base64 <<< moat; nohup echo hup 2>/dev/null; nice -n 5 nice; env -i A=1 env; stdbuf -oL echo buffered
