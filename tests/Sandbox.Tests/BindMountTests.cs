using System.Text.Json.Nodes;
using Moat.TestSupport;

namespace Moat.Sandbox.Tests;

/// <summary>Bind mounts of an OCI bundle: files of the host that the Gofer serves, shared and written through.</summary>
public sealed class BindMountTests : IDisposable
{
    private static readonly string[] s_namespaces = ["pid", "mount", "ipc", "uts", "network"];

    private readonly string _bundle = TestRun.MakeFolder("bundle");

    public BindMountTests()
    {
        foreach (string folder in (string[])["rootfs/bin", "rootfs/data", "rootfs/dev", "rootfs/proc", "rootfs/other", "data", "state"])
        {
            Directory.CreateDirectory(Path.Combine(_bundle, folder));
        }

        File.Copy("/bin/busybox", Path.Combine(_bundle, "rootfs/bin/busybox"));
        foreach (string applet in Runsc.Execute(["/bin/busybox", "--list"]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static applet => applet != "busybox"))
        {
            File.CreateSymbolicLink(Path.Combine(_bundle, "rootfs/bin", applet), "busybox");
        }
    }

    private string Data => Path.Combine(_bundle, "data");

    [Fact]
    public void Writes_GoThroughToTheHost()
    {
        File.WriteAllText(Path.Combine(Data, "there"), "before\n");
        Assert.Equal("before\nadded\n", Run("echo added >> there; cat there; echo new > made; mkdir d; echo in > d/f; ln -s made l; mkfifo p; chmod 640 made; truncate -s 3 there"));
        Assert.Equal("bef", File.ReadAllText(Path.Combine(Data, "there")));
        Assert.Equal("new\n", File.ReadAllText(Path.Combine(Data, "made")));
        Assert.Equal("in\n", File.ReadAllText(Path.Combine(Data, "d/f")));
        Assert.Equal("made", new FileInfo(Path.Combine(Data, "l")).LinkTarget);
        Assert.Equal("640\n", Runsc.Execute(["stat", "-c", "%a", Path.Combine(Data, "made")]).Output);
    }

    [Fact]
    public void HardLinks_ShareTheFileWhateverNameGoes() =>
        Assert.Equal("2\none\ntwo\n1\none\ntwo\nthree\n", Run("echo one > a; ln a b; stat -c %h a; rm a; echo two >> b; cat b; ln b c; rm b; stat -c %h c; echo three >> c; cat c"));

    [Fact]
    public void Renames_CarryOpenFilesAndReplaceOthers() =>
        Assert.Equal("2\n1\nx\nin\n", Run("echo 1 > a; echo 2 > b; exec 3< b; mv a b; cat <&3; cat b; mkdir d e; echo in > d/f; echo x; mv d e/d; cat e/d/f"));

    [Fact]
    public void UnlinkedFiles_LiveWhileTheyAreOpen() =>
        Assert.Equal("kept\nmore\n0\n", Run("echo kept > a; exec 3< a 4>> a; rm a; echo more >&4; cat <&3; stat -L -c %h /proc/self/fd/3; test ! -e a"));

    [Fact]
    public void ChangesOfTheHost_AreSeen()
    {
        File.WriteAllText(Path.Combine(Data, "there"), "1");
        Thread host = new(() =>
        {
            WaitFor("ready");
            File.WriteAllText(Path.Combine(Data, "there"), "changed");
            File.WriteAllText(Path.Combine(Data, "fresh"), "new");
            Directory.CreateDirectory(Path.Combine(Data, "folder"));
            File.Delete(Path.Combine(Data, "gone"));
            File.WriteAllText(Path.Combine(Data, "go"), "");
        }) { IsBackground = true };
        File.WriteAllText(Path.Combine(Data, "gone"), "");
        host.Start();
        string output = Run("cat there; test ! -e fresh && test -e gone && echo; exec 3< there; touch ready; while [ ! -e go ]; do sleep 0.02; done; cat there; echo; cat fresh; echo; ls; cat <&3");
        host.Join();
        Assert.Equal("1\nchanged\nnew\nfolder\nfresh\ngo\nready\nthere\nchanged", output);
    }

    // As docker cp does it: nobody else may change the root, whose directories are read once and kept.
    [Fact]
    public void WhatIsPutIntoTheRoot_IsFound_IfItWasNotMissedBefore()
    {
        string other = Path.Combine(_bundle, "rootfs/other");
        for (int i = 0; i < 10; i++)
        {
            File.WriteAllText(Path.Combine(other, $"f{i}"), $"{i}");
        }

        Thread host = new(() =>
        {
            WaitFor("ready");
            File.WriteAllText(Path.Combine(other, "fresh"), "new\n");
            File.WriteAllText(Path.Combine(Data, "go"), "");
        }) { IsBackground = true };
        host.Start();
        string output = Run("ls /other | wc -l; cat /other/f*; for i in 1 2 3 4 5; do test ! -e /other/no$i && printf .; done; touch ready; while [ ! -e go ]; do sleep 0.02; done; sleep 1.5; cat /other/fresh; ls /other | wc -l");
        host.Join();
        Assert.Equal("10\n0123456789.....new\n11\n", output);
    }

    [Fact]
    public void ReadOnlyMounts_AreNotWritten()
    {
        File.WriteAllText(Path.Combine(Data, "there"), "x\n");
        Assert.Equal("x\nno\nno\nno\n", Run("cat there; (echo y > there) 2>/dev/null || echo no; mkdir d 2>/dev/null || echo no; rm there 2>/dev/null || echo no", options: ["rbind", "ro"]));
        Assert.Equal("x\n", File.ReadAllText(Path.Combine(Data, "there")));
    }

    [Fact]
    public void Overlays_KeepTheHostAsItIs()
    {
        File.WriteAllText(Path.Combine(Data, "there"), "x\n");
        Assert.Equal("y\nmade\n", Run("echo y > there; cat there; echo > made; rm there; ls", flags: ["--overlay2=all:memory"]));
        Assert.Equal("x\n", File.ReadAllText(Path.Combine(Data, "there")));
        Assert.False(File.Exists(Path.Combine(Data, "made")));
    }

    [Theory]
    [InlineData("root:memory", false)]
    [InlineData("none", true)]
    public void TheRoot_IsWrittenThroughOnlyWithoutAnOverlay(string overlay, bool isThrough)
    {
        Assert.Equal("x\ny\n", Run("echo x > /made; echo y >> /made; cat /made", flags: [$"--overlay2={overlay}"]));
        Assert.Equal(isThrough, File.Exists(Path.Combine(_bundle, "rootfs/made")));
    }

    [Theory]
    [InlineData("shared")]
    [InlineData("exclusive")]
    public void Appends_FindTheEndWhoeverMovedIt(string access) =>
        Assert.Equal("a\nb\nc\n6\n", Run("exec 3>> f 4>> f; echo a >&3; echo b >&4; echo c >&3; cat f; stat -c %s f", flags: [$"--file-access-mounts={access}"]));

    [Fact]
    public void Writes_FollowOneAnother() =>
        Assert.Equal("a\nb\nC\nd\n", Run("exec 3> f; echo a >&3; echo b >&3; exec 4<> g; echo c >&4; echo d >&4; cat f; (printf C; dd bs=1 count=3) < /dev/null 1<> g 2>/dev/null; cat g"));

    [Fact]
    public void SparseAndLargeFiles_KeepTheirSize()
    {
        Assert.Equal("5368709121 8\nx", Run("dd if=/bin/busybox of=f bs=1 count=1 seek=5368709120 2>/dev/null; echo x > g; stat -c '%s %b' f; head -c 1 g"));
        Assert.Equal(5368709121, new FileInfo(Path.Combine(Data, "f")).Length);
    }

    [Fact]
    public void LargeFolders_AreListedWhole()
    {
        const int Count = 50_000;
        for (int i = 0; i < Count; i++)
        {
            File.WriteAllBytes(Path.Combine(Data, $"f{i}"), []);
        }

        Assert.Equal($"{Count}\n", Run("ls | grep -c '^f'"));
    }

    [Fact]
    public void HostileNames_AreJustNames() =>
        Assert.Equal("3\nok\n", Run("mkdir d; touch 'd/new\nline' 'd/...' 'd/ -rf'; ls -A d | tr -d '\\n' | wc -c > /dev/null; find d -type f -print0 | tr -cd '\\0' | wc -c; rm -r d && echo ok"));

    [Fact]
    public void SymbolicLinks_OfTheHostDoNotLeadOut()
    {
        File.CreateSymbolicLink(Path.Combine(Data, "out"), "/etc/hostname");
        File.CreateSymbolicLink(Path.Combine(Data, "up"), "../../../../etc/hostname");
        Assert.Equal("no\nno\n", Run("cat out 2>/dev/null || echo no; cat up 2>/dev/null || echo no"));
    }

    [Fact]
    public void ExtendedAttributes_AreTheHosts()
    {
        string program = Path.Combine(_bundle, "rootfs/bin/attributes");
        CommandResult compiled = Runsc.Execute(["gcc", "-O1", "-Wall", "-Werror", "-static", "-o", program, Path.Combine(Runsc.Repository, "tests/Sandbox.Tests/attributes.c")], timeoutSeconds: 60);
        Assert.True(compiled.ExitCode == 0, compiled.Error);
        Directory.CreateDirectory(Path.Combine(_bundle, "native"));
        CommandResult native = Runsc.Execute([program, "change", Path.Combine(_bundle, "native")]);
        Assert.SkipWhen(native.Output.Contains("unsupported", StringComparison.Ordinal), "the host's filesystem has no attributes of users");
        Assert.Contains("sum 130560", native.Output, StringComparison.Ordinal);
        Assert.Equal(native.Output, Run("attributes change /data"));
        string shown = Runsc.Execute([program, "show", Path.Combine(_bundle, "native")]).Output;
        Assert.Contains("user.one", shown, StringComparison.Ordinal);
        Assert.Equal(shown, Runsc.Execute([program, "show", Data]).Output);
        Assert.Equal("user.one: Read-only file system\n", Run("attributes set-one /data/file", options: ["rbind", "ro"]));

        // The root is covered by an overlay: attributes of the file below are seen, changes stay above.
        string below = Path.Combine(_bundle, "rootfs/other");
        Runsc.Execute([program, "change", below]);
        Assert.Equal(shown + "user.one: ok\n", Run("attributes show /other; attributes set-one /other/file"));
        Assert.Equal(shown, Runsc.Execute([program, "show", below]).Output);
    }

    [Fact]
    public void Files_CanBeMounted()
    {
        File.WriteAllText(Path.Combine(Data, "file"), "one\n");
        Assert.Equal("one\n", Run("cat /other/file; echo two >> /other/file", extra: new JsonObject
        {
            ["destination"] = "/other/file",
            ["type"] = "bind",
            ["source"] = Path.Combine(Data, "file"),
            ["options"] = new JsonArray("bind", "rw"),
        }));
        Assert.Equal("one\ntwo\n", File.ReadAllText(Path.Combine(Data, "file")));
    }

    public void Dispose() => Directory.Delete(_bundle, recursive: true);

    private void WaitFor(string name) => Patience.Await(() => File.Exists(Path.Combine(Data, name)), name);

    // Runs a script in the mounted folder.
    private string Run(string script, string[]? options = null, string[]? flags = null, JsonObject? extra = null)
    {
        JsonArray mounts =
        [
            new JsonObject { ["destination"] = "/proc", ["type"] = "proc", ["source"] = "proc" },
            new JsonObject { ["destination"] = "/dev", ["type"] = "tmpfs", ["source"] = "tmpfs" },
            new JsonObject { ["destination"] = "/data", ["type"] = "bind", ["source"] = Data, ["options"] = new JsonArray([.. (options ?? ["rbind", "rw"]).Select(static option => JsonValue.Create(option))]) },
        ];
        if (extra is not null)
        {
            mounts.Add(extra);
        }

        JsonArray capabilities = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_MKNOD"];
        JsonObject config = new()
        {
            ["ociVersion"] = "1.0.2",
            ["process"] = new JsonObject
            {
                ["user"] = new JsonObject { ["uid"] = 0, ["gid"] = 0 },
                ["args"] = new JsonArray("/bin/sh", "-c", script),
                ["env"] = new JsonArray("PATH=/bin"),
                ["cwd"] = "/data",
                ["capabilities"] = new JsonObject { ["bounding"] = capabilities.DeepClone(), ["effective"] = capabilities.DeepClone(), ["permitted"] = capabilities },
            },
            ["root"] = new JsonObject { ["path"] = "rootfs" },
            ["mounts"] = mounts,
            ["linux"] = new JsonObject { ["namespaces"] = new JsonArray([.. s_namespaces.Select(static kind => new JsonObject { ["type"] = kind })]) },
        };
        File.WriteAllText(Path.Combine(_bundle, "config.json"), config.ToJsonString());
        string id = "bind-" + Guid.NewGuid().ToString("N");
        CommandResult result = Runsc.Execute([Runsc.Executable, "--root", Path.Combine(_bundle, "state"), "--ignore-cgroups", "--network=none", .. flags ?? [], "run", "-bundle", _bundle, id]);
        Assert.True(result.Error.Length == 0, result.Error);
        return result.Output;
    }
}
