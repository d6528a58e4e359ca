namespace Moat.Sandbox.Tests;

/// <summary>Containers with a terminal of their own (create and exec with --console-socket), seen from the side that engines hold: a script plays the engine.</summary>
public sealed class ConsoleSocketTests
{
    private const string Engine = """
        import array, json, os, select, socket, struct, subprocess, sys, termios, fcntl, time
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
        def take():
            connection, _ = listener.accept()
            data, fds, _, _ = socket.recv_fds(connection, 100, 1)
            connection.close()
            return fds[0]
        def expect(fd, text, seconds=10):
            seen, end = b"", time.time() + seconds
            while text not in seen:
                left = end - time.time()
                if left <= 0 or not select.select([fd], [], [], left)[0]:
                    sys.exit(f"missing {text}: {seen}")
                try:
                    part = os.read(fd, 4096)
                except OSError as e:
                    sys.exit(f"missing {text}: {seen} {e}")
                seen += part
            return seen
        def ended(fd):
            end = time.time() + 10
            while time.time() < end:
                try:
                    if select.select([fd], [], [], 1)[0] and not os.read(fd, 4096):
                        return True
                except OSError:
                    return True
            return False
        def call(*args):
            subprocess.run([runsc, "--root", root, "--ignore-cgroups", *args], check=True)
        call("create", "--bundle", bundle, "--console-socket", folder + "/console.sock", name)
        master = take()
        try:
            call("start", name)
            expect(master, b"in$ ")
            os.write(master, b"tty; stty size; ls -l /dev/console | cut -c1\r")
            seen = expect(master, b"c\r\n\x1b")
            assert b"/dev/pts/0\r\n33 101\r\n" in seen, seen
            os.write(master, b"echo to the con\"\"sole > /dev/console\r")
            expect(master, b"to the console\r\n")
            os.write(master, b"sleep 1000\r"); time.sleep(0.5); os.write(master, b"\x03")
            expect(master, b"in$ "); os.write(master, b"echo st=$?\r"); expect(master, b"st=130")
            os.write(master, b"cat\r"); time.sleep(0.5); os.write(master, b"\x1a"); expect(master, b"Stopped")
            os.write(master, b"fg\r"); time.sleep(0.3); os.write(master, b"again\r"); expect(master, b"again\r\nagain"); os.write(master, b"\x04")
            expect(master, b"in$ ")
            os.write(master, b"trap 'echo winch=$(stty size)' WINCH; echo trap is s\"\"et\r"); expect(master, b"trap is set")
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 111, 0, 0)); time.sleep(0.3)
            os.write(master, b"\r"); expect(master, b"winch=44 111")
            process = dict(spec["process"], args=["/bin/sh", "-c", "tty; stty size; trap 'echo int; exit 7' INT; while :; do sleep 0.1; done"])
            json.dump(process, open(folder + "/process.json", "w"))
            call("exec", "--detach", "--process", folder + "/process.json", "--pid-file", folder + "/pid", "--console-socket", folder + "/console.sock", name)
            second = take()
            expect(second, b"/dev/pts/1\r\n33 101\r\n"); time.sleep(0.3)
            os.write(second, b"\x03"); expect(second, b"int\r\n")
            assert ended(second), "the terminal of exec does not end"
            os.write(master, b"exit 5\r")
            assert ended(master), "the terminal does not end"
            call("wait", name)
            print("all as expected")
        finally:
            subprocess.run([runsc, "--root", root, "--ignore-cgroups", "delete", "--force", name])
        """;

    [Fact]
    public void Terminal_HasJobControl_SizeAndAnEnd()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "needs python3");
        string folder = Directory.CreateTempSubdirectory("moat-console").FullName;
        try
        {
            CommandResult result = Runsc.Execute(["/usr/bin/python3", "-c", Engine, Runsc.Executable, folder]);
            Assert.True(result.ExitCode == 0 && result.Output.EndsWith("all as expected\n", StringComparison.Ordinal), result.Output + result.Error);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
