using System.Diagnostics;
using System.Globalization;

namespace Moat.Sandbox.Tests.Stress;

/// <summary>A place for many sandboxes: an executable, state, bundles and cgroups of its own, so that whatever is left behind can be told from everybody else's.</summary>
internal sealed class StressGround : IDisposable
{
    private readonly string _name = TestRun.NewName("stress");

    public StressGround()
    {
        Folder = Directory.CreateDirectory($"/var/tmp/{_name}").FullName;
        Executable = Path.Combine(Folder, "runsc");
        Runsc.CopyProgram(Runsc.Binary, Executable);
        Bundle = MakeBundle("/bin/true");
        SleepingBundle = MakeBundle("/bin/sleep", "1000");
    }

    /// <summary>Everything is below it.</summary>
    public string Folder { get; }

    /// <summary>A copy of runsc.</summary>
    public string Executable { get; }

    /// <summary>A bundle whose process ends at once.</summary>
    public string Bundle { get; }

    /// <summary>A bundle whose process waits.</summary>
    public string SleepingBundle { get; }

    /// <summary>Whether the long version is wanted (make stress).</summary>
    public static bool IsLong => Environment.GetEnvironmentVariable("MOAT_STRESS") == "1";

    /// <summary>A number of rounds: of the short version, or the long one.</summary>
    public static int Rounds(int few, int many) => IsLong ? many : few;

    /// <summary>Starts a command of runsc.</summary>
    public Process Start(params string[] arguments)
    {
        ProcessStartInfo start = new(Executable, [.. Runsc.PlatformFlags, $"--root={Folder}/state", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        Process process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    /// <summary>Runs a command of runsc whose output nobody reads: what it starts may keep it.</summary>
    public CommandResult RunDetached(params string[] arguments) => Runsc.Execute(["/bin/sh", "-c", $"exec {Executable} {string.Join(' ', Runsc.PlatformFlags)} --root={Folder}/state {string.Join(' ', arguments)} < /dev/null > /dev/null 2>&1"]);

    /// <summary>Runs a command of runsc to its end.</summary>
    public CommandResult Run(params string[] arguments) => Runsc.Execute([Executable, .. Runsc.PlatformFlags, $"--root={Folder}/state", .. arguments]);

    /// <summary>Processes that execute this copy of runsc, zombies left out.</summary>
    public List<int> Processes()
    {
        List<int> found = [];
        foreach (string folder in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int pid) && LinkTarget(Path.Combine(folder, "exe")) == Executable)
            {
                found.Add(pid);
            }
        }

        return found;
    }

    /// <summary>Waits until there is nothing besides the ground itself.</summary>
    public void AwaitNothingLeft(string after = "everything")
    {
        string left = "";
        Patience.Await(() => (left = Leftovers()).Length == 0, () => $"nothing left after {after}: {left}");
    }

    public void Dispose()
    {
        foreach (int pid in Processes())
        {
            Process.GetProcessById(pid).Kill();
        }

        // The parents of the containers' cgroups are this test's own; rmdir(2) refuses one that is in use.
        Runsc.Execute(["/bin/sh", "-c", $"rmdir /sys/fs/cgroup/*/{_name} /sys/fs/cgroup/{_name} 2>/dev/null; true"]);
        Directory.Delete(Folder, recursive: true);
    }

    private string Leftovers()
    {
        List<string> all = [.. Processes().Select(static pid => $"process {pid}")];
        all.AddRange(File.ReadAllLines("/proc/self/mountinfo").Where(line => line.Contains(_name, StringComparison.Ordinal)));
        all.AddRange(Directory.Exists($"{Folder}/state") ? Directory.GetFileSystemEntries($"{Folder}/state") : []);
        all.AddRange(Cgroups());
        return string.Join('\n', all);
    }

    private string MakeBundle(params string[] arguments)
    {
        string bundle = Path.Combine(Folder, $"bundle-{Path.GetFileName(arguments[0])}");
        string make = $"mkdir -p {bundle}/rootfs/bin {bundle}/rootfs/proc {bundle}/rootfs/dev && cp /bin/busybox {bundle}/rootfs{arguments[0]} && cd {bundle} && {Executable} spec -- {string.Join(' ', arguments)}";
        CommandResult made = Runsc.Execute(["/bin/sh", "-c", make]);
        Assert.True(made.ExitCode == 0, made.Error);
        string config = File.ReadAllText($"{bundle}/config.json");
        File.WriteAllText($"{bundle}/config.json", config.Replace("\"linux\": {", $"\"linux\": {{ \"cgroupsPath\": \"/{_name}/{Path.GetFileName(arguments[0])}\",", StringComparison.Ordinal));
        return bundle;
    }

    private IEnumerable<string> Cgroups() =>
        Directory.Exists("/sys/fs/cgroup")
            ? Directory.GetDirectories("/sys/fs/cgroup").SelectMany(controller => new[] { controller, Path.GetDirectoryName(controller)! }).Distinct()
                .Select(parent => Path.Combine(parent, _name)).Where(Directory.Exists).SelectMany(Directory.GetDirectories)
            : [];

    private static string? LinkTarget(string link)
    {
        try
        {
            return new FileInfo(link).LinkTarget;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null; // gone, or a thread of the kernel
        }
    }
}
