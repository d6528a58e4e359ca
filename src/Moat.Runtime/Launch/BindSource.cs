using Moat.Control;
using Moat.Host;
using Moat.Linux;
using Moat.Oci;

namespace Moat.Runtime.Launch;

/// <summary>A file or directory of the host that a container sees, opened.</summary>
/// <param name="SpecIndex">The mount's index; -1 for the root.</param>
/// <param name="Destination">Where it is in the container.</param>
/// <param name="Path">The path on the host.</param>
/// <param name="Fd">Opened with O_PATH.</param>
/// <param name="IsDirectory">Whether it is a directory.</param>
/// <param name="IsReadOnly">Whether nothing may be written.</param>
internal sealed record BindSource(int SpecIndex, string Destination, string Path, int Fd, bool IsDirectory, bool IsReadOnly)
{
    // Where the Sentry mounts file systems of its own.
    private static readonly string[] s_ownPlaces = ["proc", "sys", "dev"];

    private const uint TypeMask = 0xF000;
    private const uint DirectoryType = 0x4000;

    /// <summary>Opens the root and all bind mounts of a configuration.</summary>
    /// <param name="spec">The configuration.</param>
    /// <param name="bundle">What relative paths start from.</param>
    /// <param name="writesToRoot">Whether writes to the root reach the host (no overlay).</param>
    /// <param name="owned">Receives the descriptors.</param>
    /// <exception cref="RuntimeException">A path cannot be opened; the message names the configuration's member.</exception>
    public static IReadOnlyList<BindSource> OpenAll(OciSpec spec, string bundle, bool writesToRoot, DescriptorSet owned)
    {
        List<BindSource> all = [Open(-1, "/", RootPath(spec, bundle), spec.Root!.Readonly || !writesToRoot, "root.path", owned)];
        if (!all[0].IsDirectory)
        {
            throw new RuntimeException($"config.json: root.path: {all[0].Path} is not a directory");
        }

        for (int i = 0; i < spec.Mounts.Count; i++)
        {
            OciMount mount = spec.Mounts[i];
            if (mount.IsBind)
            {
                bool isReadOnly = mount.Options.Contains("ro") || mount.Options.Contains("rro");
                all.Add(Open(i, mount.Destination, System.IO.Path.GetFullPath(mount.Source, bundle), isReadOnly, $"mounts[{i}].source", owned));
            }
        }

        return all;
    }

    /// <summary>Mounts of the host right below the root that the Sentry covers with its own: never to be seen. (The host's /proc, where the root is the host's.)</summary>
    public IReadOnlyList<string> HostMounts { get; private init; } = [];

    /// <summary>How the Sentry is told of it.</summary>
    /// <param name="goferFd">Its connection to the Gofer.</param>
    public BootMount ToMount(int goferFd) => new() { Destination = Destination, SpecIndex = SpecIndex, GoferFd = goferFd, IsReadOnly = IsReadOnly, IsDirectory = IsDirectory };

    /// <summary>The root's absolute path.</summary>
    public static string RootPath(OciSpec spec, string bundle) => System.IO.Path.GetFullPath(spec.Root!.Path, bundle);

    private static BindSource Open(int index, string destination, string path, bool isReadOnly, string member, DescriptorSet owned)
    {
        if (!HostPath.OpenFile(path, OpenFlags.O_PATH).TryGet(out int fd, out Errno errno))
        {
            throw new RuntimeException($"config.json: {member}: {path}: {ErrorText.Describe(errno)}");
        }

        owned.Add(fd);
        if (!HostFile.Stat(fd).TryGet(out HostStat stat, out errno))
        {
            throw new RuntimeException($"config.json: {member}: {path}: {ErrorText.Describe(errno)}");
        }

        bool isDirectory = (stat.Mode & TypeMask) == DirectoryType;
        string[] hidden = index < 0 ? Array.FindAll(s_ownPlaces, place => HostFile.StatAt(fd, System.Text.Encoding.ASCII.GetBytes(place)).TryGet(out HostStat below, out _) && below.Device != stat.Device) : [];
        return new BindSource(index, destination, path, fd, isDirectory, isReadOnly) { HostMounts = hidden };
    }
}
