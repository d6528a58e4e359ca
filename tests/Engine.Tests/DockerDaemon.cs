using System.Diagnostics;

namespace Moat.Engine.Tests;

/// <summary>A Docker daemon of the tests' own, in pid, mount and network namespaces that go with it, with everything it writes in one folder.</summary>
public sealed class DockerDaemon : IDisposable
{
    /// <summary>The collection of the tests that share it.</summary>
    public const string Collection = "docker";

    /// <summary>The daemon's end of the default bridge, 198.51.100.0/24; other networks are of 198.18.0.0/16.</summary>
    public const string Gateway = "198.51.100.1";

    private const int StopSeconds = 15;

    private readonly Process _process;
    private readonly string _cgroup = TestRun.NewName("engine");

    /// <summary>Starts it and imports the images busybox and hello-world.</summary>
    public DockerDaemon()
    {
        Folder = TestRun.MakeFolder("engine");
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        string config = Path.Combine(Folder, "daemon.json");
        File.WriteAllText(config, $$"""
            {
              "data-root": "{{Folder}}/data", "exec-root": "{{Folder}}/exec", "pidfile": "{{Folder}}/pid", "hosts": ["unix://{{Folder}}/socket"],
              "bip": "{{Gateway}}/24", "default-address-pools": [{ "base": "198.18.0.0/16", "size": 24 }], "dns": ["{{Gateway}}"], "ip6tables": false, "shutdown-timeout": 2, "cgroup-parent": "/{{_cgroup}}",
              "runtimes": {
                "runsc": { "path": "{{Runsc.Executable}}" },
                "runsc-host": { "path": "{{Runsc.Executable}}", "runtimeArgs": ["--network=host"] },
                "runsc-direct": { "path": "{{Runsc.Executable}}", "runtimeArgs": ["--overlay2=none"] }
              }
            }
            """);
        string[] command = ["--pid", "--fork", "--mount", "--net", "--mount-proc", "--kill-child", "/bin/sh", "-c", $"ip link set lo up && exec dockerd --config-file {config} > {Folder}/dockerd.log 2>&1"];
        _process = Process.Start("unshare", command);
        try
        {
            WaitUntilReady();
            TestRoot.Make(Path.Combine(Folder, "busybox"));
            TestRoot.MakeHello(Path.Combine(Folder, "hello-world"));
            Import("busybox", "CMD [\"sh\"]");
            Import("hello-world", "CMD [\"/hello\"]");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Everything it writes is here; tests may put files there as well.</summary>
    public string Folder { get; }

    /// <summary>The socket of the daemon's containerd.</summary>
    public string ContainerdSocket => Path.Combine(Folder, "exec/containerd/containerd.sock");

    /// <summary>A name that nobody else uses: its cgroups are below it.</summary>
    public string Name => _cgroup;

    /// <summary>Directories of a container's cgroups, by hierarchy.</summary>
    public IReadOnlyList<string> FindCgroups(string id) => [.. Groups().Select(group => Path.Combine(group, id)).Where(Directory.Exists)];

    /// <summary>Runs the docker command.</summary>
    public CommandResult Docker(params string[] arguments) => DockerWith(null, arguments);

    /// <summary>As above, with input.</summary>
    public CommandResult DockerWith(string? input, params string[] arguments) => DockerWith(input, Patience.Seconds, arguments);

    /// <summary>As above, with a limit of time.</summary>
    public CommandResult DockerWith(string? input, int timeoutSeconds, params string[] arguments) => Runsc.Execute(["docker", "-H", $"unix://{Folder}/socket", .. arguments], input, timeoutSeconds);

    /// <summary>docker run --rm in the sandbox, without a network, of the busybox image.</summary>
    /// <param name="options">Between run and the image, separated by spaces.</param>
    /// <param name="command">What is run.</param>
    public CommandResult Run(string options, params string[] command) =>
        Docker(["run", "--rm", "--runtime=runsc", "--network=none", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries), "busybox", .. command]);

    /// <summary>Runs a shell script where the daemon is: in its network and among its processes.</summary>
    public CommandResult OnHost(string script, int timeoutSeconds = Patience.Seconds) => Runsc.Execute(["nsenter", "-t", Number, "-n", "-p", "-m", "/bin/sh", "-c", script], timeoutSeconds: timeoutSeconds);

    /// <summary>Runs a command of docker that must succeed.</summary>
    /// <returns>What it printed, without white space around it.</returns>
    public string Must(params string[] arguments)
    {
        CommandResult result = Docker(arguments);
        Assert.True(result.ExitCode == 0, $"docker {string.Join(' ', arguments)}: {result.ExitCode}: {result.Error}");
        return result.Output.Trim();
    }

    /// <summary>Makes an image of the folder that has its name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="change">An instruction as in a Dockerfile.</param>
    public void Import(string name, string change)
    {
        string script = $"tar -C {Folder}/{name} -c . | docker -H unix://{Folder}/socket import -c '{change}' -c 'ENV PATH=/bin' - {name}";
        CommandResult result = Runsc.Execute(["/bin/sh", "-c", script]);
        Assert.True(result.ExitCode == 0, result.Error);
    }

    /// <summary>Stops it, with everything it started, and removes the folder.</summary>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        if (!_process.HasExited)
        {
            // The daemon is the first process of its namespace: SIGTERM by name of its number on the host, so that it ends its containers.
            if (Number.Length > 0)
            {
                Runsc.Execute(["/bin/kill", "-TERM", Number]);
            }

            if (!_process.WaitForExit(StopSeconds * 1000))
            {
                _process.Kill(); // and what it forked with it
                _process.WaitForExit(StopSeconds * 1000);
            }
        }

        _process.Dispose();
        foreach (string group in Groups())
        {
            Runsc.Execute(["find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
        }

        Runsc.Execute(["rm", "-rf", "--one-file-system", Folder]);
    }

    // The daemon's, on the host; empty if it has not been made or has gone.
    private string Number => ReadOrEmpty($"/proc/{_process.Id}/task/{_process.Id}/children").Trim();

    private void OnExit(object? sender, EventArgs e) => Dispose();

    private IEnumerable<string> Groups() => Directory.GetDirectories("/sys/fs/cgroup").Append("/sys/fs/cgroup").Select(hierarchy => Path.Combine(hierarchy, _cgroup)).Where(Directory.Exists);

    private void WaitUntilReady()
    {
        string log = Path.Combine(Folder, "dockerd.log");
        Patience.Await(() => _process.HasExited || Docker("version").ExitCode == 0, () => "dockerd: " + ReadOrEmpty(log));
        if (_process.HasExited)
        {
            throw new InvalidOperationException("dockerd does not start: " + ReadOrEmpty(log));
        }
    }

    private static string ReadOrEmpty(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
