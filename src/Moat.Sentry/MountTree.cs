using System.Text;
using Moat.Control;
using Moat.Filesystems.Cgroup;
using Moat.Filesystems.Dev;
using Moat.Filesystems.Devpts;
using Moat.Filesystems.GoferClient;
using Moat.Filesystems.Overlay;
using Moat.Filesystems.Proc;
using Moat.Filesystems.Sys;
using Moat.Filesystems.Tmpfs;
using Moat.Filesystems.Tty;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Oci;
using Moat.Sockets.Tun;

namespace Moat.Sentry;

/// <summary>Builds the container's tree from its configuration: the root, what is mounted on it, devices, masked and read-only paths.</summary>
internal sealed class MountTree(GuestContainer container, SandboxOptions options)
{
    private readonly SentryKernel _kernel = container.Kernel;
    private static readonly Mode s_directoryMode = (Mode)0x1ED; // 0755

    private readonly List<string> _ignored = [];
    private readonly List<Filesystem> _filesystems = [];

    /// <summary>Members of the configuration that have no effect.</summary>
    public IReadOnlyList<string> Ignored => _ignored;

    /// <summary>What was made for the tree; an overlay has its parts with it.</summary>
    public IReadOnlyList<Filesystem> Filesystems => _filesystems;

    /// <summary>Where terminals of the host get their places: what is mounted at /dev/pts, or nowhere.</summary>
    public DevptsFilesystem Terminals { get; private set; } = new(container.Kernel, new DevptsOptions());

    /// <summary>The root alone.</summary>
    /// <exception cref="InvalidOperationException">The Gofer does not serve it.</exception>
    /// <param name="id">The namespace's number.</param>
    public MountNamespace MakeRoot(ulong id)
    {
        BootMount root = options.Mounts[0];
        bool isOverlaid = !options.Flags.WritesToRoot;
        Filesystem lower = Attach(root, isShared: !isOverlaid || options.Flags.FileAccess == "shared");
        Filesystem shown = isOverlaid ? OverlayInMemory(lower) : lower;
        _filesystems.Add(shown);
        return new MountNamespace(new Mount(shown, new Dentry(null, new FileName("/"), shown.Root), MountFlags.RelAtime) { Source = "root" }, id, _kernel.NamespaceIds);
    }

    /// <summary>Everything else, in the order of the configuration.</summary>
    /// <param name="init">A task at the root of the tree with all capabilities.</param>
    public void Populate(GuestTask init)
    {
        bool hasProc = false;
        for (int i = 0; i < options.Spec.Mounts.Count; i++)
        {
            OciMount mount = options.Spec.Mounts[i];
            MountOptions parsed = MountOptions.Parse(mount.Options);
            hasProc |= mount.Type == "proc";
            if (MakeFilesystem(mount, i, parsed) is not { } filesystem)
            {
                continue;
            }

            _filesystems.Add(filesystem);

            // Where it is on the host is not the container's business.
            PathLocation top = MountAt(init, mount.Destination, filesystem, parsed.Flags, mount.IsBind ? "none" : mount.Source);
            if (mount.Type == "tmpfs" && mount.Destination.TrimEnd('/') == "/dev")
            {
                MemoryDevices.Populate(init, top);
                if (options.Spec.Process!.Terminal)
                {
                    FileCreation.Make(init, top, "console"u8, Mode.S_IFCHR | (Mode)0x190, TerminalDevices.Console); // 0620
                }

                AddDevices(init);
                AddTun(init);
            }
        }

        if (!hasProc)
        {
            MountAt(init, "/proc", new ProcFilesystem(_kernel, container.Pids, NewDevice()), MountFlags.NoSuid | MountFlags.NoDev | MountFlags.NoExec | MountFlags.RelAtime, "proc");
        }

        _ignored.AddRange(SysctlSettings.Apply(init, options.Spec.Linux?.Sysctl ?? new Dictionary<string, string>()));
        foreach (string path in options.Spec.Linux?.MaskedPaths ?? [])
        {
            Mask(init, path);
        }

        foreach (string path in options.Spec.Linux?.ReadonlyPaths ?? [])
        {
            if (Find(init, path) is { } place)
            {
                init.Fs.MountNamespace.Attach(new Mount(place.Mount.Filesystem, place.Dentry, place.Mount.Flags | MountFlags.ReadOnly) { Source = place.Mount.Source }, place);
            }
        }

        if (options.Spec.Root!.Readonly)
        {
            init.Fs.MountNamespace.Root.Flags |= MountFlags.ReadOnly;
        }
    }

    private Filesystem? MakeFilesystem(OciMount mount, int index, MountOptions parsed)
    {
        if (mount.IsBind)
        {
            BootMount bind = options.Mounts.First(candidate => candidate.SpecIndex == index);

            // What the guest may write changes under it as well: attributes are kept only of what nobody changes.
            bool isOverlaid = options.Flags.OverlaysMounts && bind.IsDirectory;
            bool isConstant = isOverlaid || (options.Flags.FileAccessMounts == "exclusive" && (parsed.Flags & MountFlags.ReadOnly) != 0);
            Filesystem lower = Attach(bind, isShared: !isConstant);
            return isOverlaid ? OverlayInMemory(lower) : lower;
        }

        switch (mount.Type)
        {
            case "proc":
                return new ProcFilesystem(_kernel, container.Pids, NewDevice());
            case "sysfs":
                return new SysFilesystem(NewDevice(), _kernel.Facts, _kernel.Clock);
            case "devpts":
                DevptsFilesystem devpts = new(_kernel, parsed.ToDevpts());
                Terminals = mount.Destination.TrimEnd('/') == "/dev/pts" ? devpts : Terminals;
                return devpts;
            case "tmpfs":
                TmpfsOptions tmpfs = parsed.ToTmpfs(options.Facts.MemoryBytes);
                return new TmpfsFilesystem(_kernel, mount.Destination.TrimEnd('/') == "/dev" ? tmpfs with { TypeName = "devtmpfs" } : tmpfs);
            case "cgroup" or "cgroup2":
                return new CgroupFilesystem(container, NewDevice(), LimitsOf(options.Spec.Linux?.Resources));
            case "mqueue":
                _ignored.Add($"mounts[{index}] ({mount.Type})");
                return null;
            default:
                throw new InvalidOperationException($"config.json: mounts[{index}].type: \"{mount.Type}\" is not supported");
        }
    }

    private static CgroupLimits LimitsOf(OciResources? resources) => new(
        resources?.Memory?.Limit is > 0 and long memory ? memory : null,
        resources?.Cpu?.Quota is > 0 and long quota ? quota : null,
        resources?.Cpu?.Period is > 0 and ulong period ? period : 100_000,
        resources?.Pids?.Limit is > 0 and long tasks ? tasks : null);

    private GoferFilesystem Attach(BootMount mount, bool isShared) =>
        GoferFilesystem.Attach(mount.GoferFd, NewDevice(), isShared, _kernel.Clock).TryGet(out GoferFilesystem? filesystem, out Errno errno) ? filesystem
            : throw new InvalidOperationException($"{mount.Destination}: the gofer does not serve it: {errno}");

    // Changes stay in the sandbox's memory and go with it.
    private OverlayFilesystem OverlayInMemory(Filesystem lower)
    {
        lower.Root.GetAttributes(out InodeAttributes root);
        TmpfsFilesystem upper = new(_kernel, new TmpfsOptions { RootMode = root.Mode & Mode.PermissionMask, Uid = root.Uid, Gid = root.Gid });
        return new OverlayFilesystem(lower, upper, NewDevice());
    }

    private DeviceNumber NewDevice() => new(0, (uint)_kernel.NextAnonymousDevice());

    // Whoever has CAP_NET_ADMIN may make interfaces in the sandbox's own network: the node does no harm.
    private static void AddTun(GuestTask init)
    {
        _ = FileCreation.Make(init, init.Fs.Root, "/dev/net"u8, Mode.S_IFDIR | (Mode)0x1ED, default);
        _ = FileCreation.Make(init, init.Fs.Root, "/dev/net/tun"u8, Mode.S_IFCHR | (Mode)0x1B6, TunDevice.Number); // or the configuration has made it
    }

    private void AddDevices(GuestTask init)
    {
        foreach (OciDevice device in options.Spec.Linux?.Devices ?? [])
        {
            if (Find(init, device.Path) is not null)
            {
                continue;
            }

            Mode type = device.Type switch { "b" => Mode.S_IFBLK, "p" => Mode.S_IFIFO, _ => Mode.S_IFCHR };
            DeviceNumber number = new((uint)device.Major, (uint)device.Minor);
            Errno errno = FileCreation.Make(init, init.Fs.Root, Encoding.UTF8.GetBytes(device.Path), type | (Mode)(device.FileMode ?? 0x1B6), number);
            if (errno == Errno.None && Find(init, device.Path) is { } place)
            {
                place.Inode.SetAttributes(init, new AttributeChange { Uid = device.Uid, Gid = device.Gid });
            }
            else
            {
                options.Log.Warning($"config.json: linux.devices: {device.Path}: {ErrorText.Describe(errno)}");
            }

            if (device.Type != "p" && (type != Mode.S_IFCHR || !_kernel.Devices.Contains(number)))
            {
                _ignored.Add($"linux.devices ({device.Path}: opening it gives ENXIO)");
            }
        }
    }

    private void Mask(GuestTask init, string path)
    {
        if (Find(init, path) is not { } place)
        {
            return;
        }

        if (place.Inode.IsDirectory)
        {
            Attach(init, place, new TmpfsFilesystem(_kernel, new TmpfsOptions { RootMode = (Mode)0x16D }), MountFlags.ReadOnly | MountFlags.RelAtime, "tmpfs"); // 0555
        }
        else if (Find(init, "/dev/null") is { } nothing)
        {
            init.Fs.MountNamespace.Attach(new Mount(nothing.Mount.Filesystem, nothing.Dentry, nothing.Mount.Flags) { Source = "null" }, place);
        }
    }

    private static PathLocation? Find(GuestTask init, string path) =>
        PathWalker.Resolve(init, init.Fs.Root, Encoding.UTF8.GetBytes(path), WalkFlags.None).TryGet(out PathLocation place, out _) ? place : null;

    private static PathLocation MountAt(GuestTask init, string path, Filesystem filesystem, MountFlags flags, string source)
    {
        PathLocation place = Find(init, path) ?? MakePlace(init, path, filesystem.Root.IsDirectory);
        return Attach(init, place, filesystem, flags, source);
    }

    private static PathLocation Attach(GuestTask init, PathLocation place, Filesystem filesystem, MountFlags flags, string source)
    {
        Mount mount = new(filesystem, new Dentry(null, new FileName("/"), filesystem.Root), flags) { Source = source.Length > 0 ? source : filesystem.TypeName };
        Errno errno = init.Fs.MountNamespace.Attach(mount, place);
        return errno == Errno.None ? new PathLocation(mount, mount.Root) : throw new InvalidOperationException($"mount: {errno}");
    }

    // Makes the directories on the way that are missing, and the place itself.
    private static PathLocation MakePlace(GuestTask init, string path, bool isDirectory)
    {
        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        Errno errno = Errno.None;
        for (int i = 1; i <= names.Length; i++)
        {
            string sofar = "/" + string.Join('/', names[..i]);
            if (Find(init, sofar) is null)
            {
                Mode mode = i < names.Length || isDirectory ? Mode.S_IFDIR | s_directoryMode : Mode.S_IFREG | (Mode)0x1A4;
                errno = FileCreation.Make(init, init.Fs.Root, Encoding.UTF8.GetBytes(sofar), mode, default);
            }
        }

        return Find(init, path) ?? throw new InvalidOperationException($"config.json: mounts: {path} cannot be made: {ErrorText.Describe(errno)}");
    }
}
