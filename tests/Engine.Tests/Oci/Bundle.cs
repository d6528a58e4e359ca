using System.Text.Json.Nodes;

namespace Moat.Engine.Tests.Oci;

/// <summary>A bundle and a folder for the state of its container, with the commands of runsc on it.</summary>
public sealed class Bundle : IDisposable
{
    /// <summary>The container, where there is but one.</summary>
    public const string Id = "c";

    private readonly JsonObject _spec;
    private readonly Bundle? _sandbox;
    private readonly string _id = Id;

    /// <summary>Makes a bundle whose container runs a script; its root can be written.</summary>
    public Bundle(BundleRoot root, string script)
    {
        ArgumentNullException.ThrowIfNull(root);
        Folder = TestRun.MakeFolder("bundle");
        CommandResult made = Runsc.Execute([Runsc.Executable, "spec", "--bundle", Folder, "--", "/bin/sh", "-c", script]);
        Assert.True(made.ExitCode == 0, made.Error);
        _spec = JsonNode.Parse(File.ReadAllText(ConfigFile))!.AsObject();
        _spec["root"] = new JsonObject { ["path"] = root.Folder };
        _spec["process"]!["env"] = new JsonArray("PATH=/bin");
        _spec["linux"]!["cgroupsPath"] = $"/{Path.GetFileName(Folder)}"; // the default, named as the container, would be everybody's
        Save();
    }

    /// <summary>Makes a bundle for a container of another one's pod, as engines of Kubernetes mark them.</summary>
    public Bundle(BundleRoot root, string script, Bundle sandbox, string id)
        : this(root, script)
    {
        _sandbox = sandbox;
        _id = id;
        Set("annotations", $$"""{"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "{{Id}}"}""");
    }

    /// <summary>The bundle.</summary>
    public string Folder { get; }

    /// <summary>Where the state of containers is.</summary>
    public string State => _sandbox?.State ?? Path.Combine(Folder, "state");

    /// <summary>config.json.</summary>
    public string ConfigFile => Path.Combine(Folder, "config.json");

    /// <summary>What --log gets.</summary>
    public string Log => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "";

    /// <summary>What a container that nobody waits for has printed.</summary>
    public string Output => File.ReadAllText(Path.Combine(Folder, "output"));

    private string LogFile => Path.Combine(Folder, "log");

    /// <summary>Changes the configuration.</summary>
    /// <param name="member">Names separated by dots.</param>
    /// <param name="json">Its new value; null to remove it.</param>
    public Bundle Set(string member, string? json)
    {
        ArgumentNullException.ThrowIfNull(member);
        string[] names = member.Split('.');
        JsonObject place = _spec;
        foreach (string name in names[..^1])
        {
            place = place[name] as JsonObject ?? (JsonObject)(place[name] = new JsonObject())!;
        }

        place.Remove(names[^1]);
        if (json is not null)
        {
            place[names[^1]] = JsonNode.Parse(json);
        }

        Save();
        return this;
    }

    /// <summary>Adds an element to a list at the top of the configuration.</summary>
    public Bundle Add(string list, string json)
    {
        _spec[list]!.AsArray().Add(JsonNode.Parse(json));
        Save();
        return this;
    }

    /// <summary>Runs a command of runsc.</summary>
    public CommandResult Command(params string[] arguments) => Runsc.Execute([Runsc.Executable, "--root", State, "--log", LogFile, "--log-format", "json", .. arguments]);

    /// <summary>As above; it must succeed.</summary>
    /// <returns>What it printed.</returns>
    public string Must(params string[] arguments)
    {
        CommandResult result = Command(arguments);
        Assert.True(result.ExitCode == 0, $"runsc {string.Join(' ', arguments)}: {result.ExitCode}: {result.Error}");
        return result.Output;
    }

    /// <summary>run, in the foreground.</summary>
    public CommandResult Run(params string[] flags) => Command(["run", "--bundle", Folder, .. flags, _id]);

    /// <summary>A command whose container outlives it: the container's streams are files.</summary>
    public CommandResult Detached(params string[] arguments) =>
        Runsc.Execute(["/bin/sh", "-c", $"exec \"$@\" < /dev/null > {Folder}/output 2> {Folder}/errors", "sh", Runsc.Executable, "--root", State, "--log", LogFile, "--log-format", "json", .. arguments]);

    /// <summary>create.</summary>
    public CommandResult Create(params string[] flags) => Detached(["create", "--bundle", Folder, .. flags, _id]);

    /// <summary>create and start; both must succeed.</summary>
    public void Start()
    {
        CommandResult created = Create();
        Assert.True(created.ExitCode == 0, Log);
        Must("start", _id);
    }

    /// <summary>The member of what <c>state</c> prints.</summary>
    public string Read(string member) => JsonNode.Parse(Must("state", _id))![member]!.ToString();

    /// <summary>Waits for a status.</summary>
    public void Await(string status) => Patience.Await(() => Read("status") == status, status);

    /// <summary>Fails if anything of the container is still there.</summary>
    public void AssertNothingLeft()
    {
        Assert.Empty(Directory.Exists(State) ? Directory.GetFileSystemEntries(State) : []);
        Assert.DoesNotContain(Directory.GetDirectories("/sys/fs/cgroup"), hierarchy => Directory.Exists(Path.Combine(hierarchy, Path.GetFileName(Folder))));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Command("delete", "--force", _id);
        Directory.Delete(Folder, recursive: true);
    }

    private void Save() => File.WriteAllText(ConfigFile, _spec.ToJsonString());
}
