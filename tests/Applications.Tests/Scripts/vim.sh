# vim without a terminal: commands from a script; swap files, undo, writing.
cd /tmp; seq 1000 > f; vim.tiny -e -s -u NONE f <<'END'
%s/^\(\d*\)5$/\1five/
g/77/d
1m$
w
q
END
echo $?; md5sum f; ls -A; vim.tiny -u NONE -n -es -c 'normal Goappended' -c 'wq' f; tail -2 f; vim.tiny --version | head -1
