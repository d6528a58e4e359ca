namespace Moat.Sandbox.Tests;

/// <summary>Containers with a terminal of their own (create and exec with --console-socket), seen from the side that engines hold: a script plays the engine.</summary>
public sealed class ConsoleSocketTests
{
    private const string Engine = """
        import array, json, os, select, socket, struct, subprocess, sys, termios, fcntl
        runsc, folder = sys.argv[1:3]
        root, bundle, name = folder + "/state", folder + "/bundle", "console-test"
        os.makedirs(bundle, exist_ok=True)
        subprocess.run([runsc, "spec"], cwd=bundle, check=True)
        spec = json.load(open(bundle + "/config.json"))
        spec["root"] = {"path": "/", "readonly": True}
        spec["process"].update(terminal=True, args=["/bin/bash", "--norc", "--noprofile"], consoleSize={"height": 33, "width": 101})
        spec["process"]["env"] += ["PS1=in$ "]
        json.dump(spec, open(bundle + "/config.json", "w"))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(folder + "/console.sock")
        listener.listen()
        PATIENCE = 100
        def take():
            connection, _ = listener.accept()
            data, fds, _, _ = socket.recv_fds(connection, 100, 1)
            connection.close()
            return Terminal(fds[0])
        class Terminal:
            def __init__(self, fd):
                self.fd, self.unread = fd, b""
            def type(self, text):
                os.write(self.fd, text)
            def read(self):
                if not select.select([self.fd], [], [], PATIENCE)[0]:
                    sys.exit(f"nothing comes, after {self.unread}")
                try:
                    return os.read(self.fd, 4096)
                except OSError:
                    return b"" # the other side has been closed
            def expect(self, text):
                # Reads up to the end of a text; returns what was before it.
                while text not in self.unread:
                    part = self.read()
                    if not part:
                        sys.exit(f"the end instead of {text}: {self.unread}")
                    self.unread += part
                seen, _, self.unread = self.unread.partition(text)
                return seen
            def expect_end(self):
                while part := self.read():
                    self.unread += part
        def call(*args):
            subprocess.run([runsc, "--root", root, "--ignore-cgroups", *args], check=True)
        call("create", "--bundle", bundle, "--console-socket", folder + "/console.sock", name)
        # What a program prints is told from what was typed for it by the "" in the latter; a key is pressed when whom it is for has said that he is there.
        master = take()
        try:
            call("start", name)
            master.expect(b"in$ ")
            master.type(b"tty; stty size; ls -l /dev/console | cut -c1; echo thr\"\"ee\r")
            seen = master.expect(b"three\r\n")
            assert b"/dev/pts/0\r\n33 101\r\nc\r\n" in seen, seen
            master.type(b"echo to the con\"\"sole > /dev/console\r")
            master.expect(b"to the console\r\n")
            master.type(b"sh -c 'echo sleep\"\"ing; exec sleep 1000'\r"); master.expect(b"sleeping\r\n"); master.type(b"\x03")
            master.expect(b"in$ "); master.type(b"echo st=$?\r"); master.expect(b"st=130\r\n")
            master.type(b"sh -c 'echo read\"\"ing; exec cat'\r"); master.expect(b"reading\r\n"); master.type(b"\x1a"); master.expect(b"Stopped")
            master.type(b"fg\r"); master.expect(b"fg\r\n"); master.expect(b"exec cat'\r\n"); master.type(b"again\r"); master.expect(b"again\r\nagain\r\n"); master.type(b"\x04")
            master.expect(b"in$ ")
            master.type(b"trap told=yes WINCH; echo wat\"\"ching; until [ $told ]; do read -t 0.1; done; echo winch=$(stty size)\r"); master.expect(b"watching\r\n")
            # (A sleep would be a foreground job of its own, and be told instead of the shell; read -t ends whatever the trap reads as well when its time is up.)
            fcntl.ioctl(master.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 111, 0, 0))
            master.expect(b"winch=44 111\r\n")
            master.expect(b"in$ ") # until then what is typed may be for the read
            process = dict(spec["process"], args=["/bin/sh", "-c", "tty; stty size; trap 'echo int; exit 7' INT; echo trap is set; while :; do sleep 0.1; done"])
            json.dump(process, open(folder + "/process.json", "w"))
            call("exec", "--detach", "--process", folder + "/process.json", "--pid-file", folder + "/pid", "--console-socket", folder + "/console.sock", name)
            second = take()
            assert second.expect(b"trap is set\r\n") == b"/dev/pts/1\r\n33 101\r\n"
            second.type(b"\x03"); second.expect(b"int\r\n")
            second.expect_end()
            master.type(b"exit 5\r")
            master.expect_end()
            call("wait", name)
            print("all as expected")
        finally:
            subprocess.run([runsc, "--root", root, "--ignore-cgroups", "delete", "--force", name])
        """;

    [Fact]
    public void Terminal_HasJobControl_SizeAndAnEnd()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "needs python3");
        string folder = TestRun.MakeFolder("console");
        try
        {
            CommandResult result = Runsc.Execute(["/usr/bin/python3", "-c", Engine, Runsc.Executable, folder], timeoutSeconds: 3 * Patience.Seconds);
            Assert.True(result.ExitCode == 0 && result.Output.EndsWith("all as expected\n", StringComparison.Ordinal), result.Output + result.Error);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
