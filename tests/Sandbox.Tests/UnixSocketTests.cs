namespace Moat.Sandbox.Tests;

/// <summary>Unix sockets (unix(7)): each script does in the sandbox what it does on Linux.</summary>
public sealed class UnixSocketTests
{
    private const string Preamble = """
        import os, select, socket, struct, threading
        U, S, D = socket.AF_UNIX, socket.SOCK_STREAM, socket.SOCK_DGRAM

        """;

    [Fact]
    public void Pair_PassesBytes_AndEnds() => Compare("""
            a,b=socket.socketpair(); a.sendall(b"hello"); print(b.recv(3), b.recv(9)); a.close(); print(b.recv(5))
            """);

    [Fact]
    public void Rights_ArriveAsDescriptors() => Compare("""
            a,b=socket.socketpair(); r,w=os.pipe(); socket.send_fds(a,[b"x"],[w]); m,f,fl,_=socket.recv_fds(b,9,4); os.write(f[0],b"via"); print(m,len(f),fl,os.read(r,9))
            """);

    [Fact]
    public void Credentials_AreTold() => Compare("""
            a,b=socket.socketpair(); b.setsockopt(1,16,1); a.send(b"q"); d,c,_,_=b.recvmsg(9,99); print(d,c[0][:2],struct.unpack("iII",c[0][2])[0]==os.getpid())
            """);

    [Fact]
    public void Datagrams_HaveSenders() => Compare("""
            s=socket.socket(U,D); s.bind("\0d1"); c=socket.socket(U,D); c.bind("\0d2"); c.sendto(b"abcdef","\0d1"); print(s.recvfrom(3))
            """);

    [Fact]
    public void FullReceiver_HoldsSenders() => Compare("""
            a,b=socket.socketpair(U,D); t=threading.Thread(target=lambda:[a.send(bytes([i])) for i in range(200)]); t.start(); print(all(b.recv(9)==bytes([i]) for i in range(200)))
            """);

    [Fact]
    public void Stream_CarriesMegabytes() => Compare("""
            a,b=socket.socketpair(); x=os.urandom(1<<21); t=threading.Thread(target=lambda:(a.sendall(x),a.close())); t.start(); print(b"".join(iter(lambda:b.recv(65536),b""))==x)
            """);

    [Fact]
    public void SocketsInSockets_DoNotExhaustTheStack() => Compare("""
            p=None
            for i in range(2000):
              a,b=socket.socketpair()
              if p: socket.send_fds(a,[b"x"],[p.fileno()]); p.close()
              a.close(); p=b
            p.close(); print("ok")
            """);

    [Fact]
    public void Backlog_IsBounded() => Compare("""
            s=socket.socket(U,S); s.bind("\0bl"); s.listen(0); l=[]
            try:
              for i in range(5): c=socket.socket(U,S); c.setblocking(False); c.connect("\0bl"); l.append(c)
            except OSError as e: print(len(l),e.errno)
            """);

    [Fact]
    public void Readiness_IsThatOfLinux() => Compare("""
            def p(s):
              q=select.poll(); q.register(s,0x3fff); r=q.poll(0); return r and r[0][1]
            s=socket.socket(U,S); print(p(s)); s.bind("\0pp"); s.listen(); print(p(s)); c=socket.socket(U,S); c.connect("\0pp"); print(p(s),p(c)); a,_=s.accept(); print(p(a)); c.close(); print(p(a),p(socket.socket(U,D)))
            """);

    [Fact]
    public void UnreadData_ResetsThePeer() => Compare("""
            a,b=socket.socketpair(); a.send(b"x"); b.close()
            try: a.recv(1)
            except OSError as e: print(e.errno)
            """);

    [Fact]
    public void Timeout_IsEagain() => Compare("""
            a,b=socket.socketpair(); a.setsockopt(1,20,struct.pack("ll",0,20000))
            try: a.recv(1)
            except OSError as e: print(e.errno)
            """);

    private static void Compare(string script)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "needs python3");
        string[] command = ["/usr/bin/python3", "-c", Preamble + script];
        CommandResult native = Runsc.Execute(command);
        CommandResult sandboxed = Runsc.Do(command);
        Assert.Equal((native.ExitCode, native.Output), (sandboxed.ExitCode, sandboxed.Output));
        Assert.Equal(0, native.ExitCode);
    }
}
