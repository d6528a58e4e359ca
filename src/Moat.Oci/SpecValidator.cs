namespace Moat.Oci;

/// <summary>Says what a configuration violates: the member's path, a colon, the fault. Only what the specification or the sandbox demands is checked.</summary>
public static class SpecValidator
{
    private const int MaxEntries = 65536;

    private static readonly string[] s_namespaceTypes = ["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"];

    private static readonly string[] s_rlimits =
    [
        "RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_LOCKS", "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE",
        "RLIMIT_NICE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_RSS", "RLIMIT_RTPRIO", "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK",
    ];

    /// <summary>Checks a whole configuration. Null: nothing is wrong.</summary>
    public static string? Validate(OciSpec spec)
    {
        if (spec.OciVersion.Length == 0)
        {
            return "ociVersion: must not be empty";
        }

        if (!SpecVersions.IsSupported(spec.OciVersion))
        {
            return $"ociVersion: version {spec.OciVersion} is not supported";
        }

        if (spec.Root is null)
        {
            return "root: must be set";
        }

        if (spec.Root.Path.Length == 0)
        {
            return "root.path: must not be empty";
        }

        if (HasZero(spec.Root.Path))
        {
            return "root.path: must not contain a zero byte";
        }

        if (spec.Process is null)
        {
            return "process: must be set";
        }

        return ValidateProcess(spec.Process) is { } fault ? $"process.{fault}"
            : ValidateMounts(spec.Mounts) ?? ValidateHooks(spec.Hooks) ?? (spec.Linux is null ? null : ValidateLinux(spec));
    }

    /// <summary>Checks a process; paths are relative to it.</summary>
    public static string? ValidateProcess(OciProcess process)
    {
        if (process.Args.Count == 0)
        {
            return "args: must not be empty";
        }

        if (process.Args[0] is null or "")
        {
            return "args[0]: must not be empty";
        }

        if (!process.Cwd.StartsWith('/'))
        {
            return process.Cwd.Length == 0 ? "cwd: must not be empty" : "cwd: must be an absolute path";
        }

        if (HasZero(process.Cwd))
        {
            return "cwd: must not contain a zero byte";
        }

        return FindBadString(process.Args, "args") ?? FindBadString(process.Env, "env") ?? ValidateRlimits(process.Rlimits) ?? ValidateCapabilities(process.Capabilities)
            ?? (process.OomScoreAdj is < -1000 or > 1000 ? "oomScoreAdj: must be between -1000 and 1000" : null);
    }

    private static string? ValidateRlimits(IReadOnlyList<OciRlimit> rlimits)
    {
        HashSet<string> seen = [];
        for (int i = 0; i < rlimits.Count; i++)
        {
            OciRlimit? limit = rlimits[i];
            if (limit is null || !s_rlimits.Contains(limit.Type))
            {
                return $"rlimits[{i}].type: \"{limit?.Type}\" is not a resource limit";
            }

            if (!seen.Add(limit.Type))
            {
                return $"rlimits[{i}].type: {limit.Type} is given twice";
            }

            if (limit.Soft > limit.Hard)
            {
                return $"rlimits[{i}].soft: must not exceed hard";
            }
        }

        return null;
    }

    private static string? ValidateCapabilities(OciCapabilities? capabilities)
    {
        if (capabilities is null)
        {
            return null;
        }

        return FindBadCapability(capabilities.Bounding, "bounding") ?? FindBadCapability(capabilities.Effective, "effective")
            ?? FindBadCapability(capabilities.Inheritable, "inheritable") ?? FindBadCapability(capabilities.Permitted, "permitted")
            ?? FindBadCapability(capabilities.Ambient, "ambient");
    }

    // Names that are unknown are for the kernel to skip, as newer engines pass newer names; only the form is checked.
    private static string? FindBadCapability(IReadOnlyList<string> names, string set)
    {
        for (int i = 0; i < names.Count; i++)
        {
            if (names[i] is null || !names[i].StartsWith("CAP_", StringComparison.Ordinal))
            {
                return $"capabilities.{set}[{i}]: \"{names[i]}\" is not a capability";
            }
        }

        return null;
    }

    private static string? ValidateMounts(IReadOnlyList<OciMount> mounts)
    {
        if (mounts.Count > MaxEntries)
        {
            return $"mounts: must not have more than {MaxEntries} entries";
        }

        for (int i = 0; i < mounts.Count; i++)
        {
            OciMount? mount = mounts[i];
            if (mount is null)
            {
                return $"mounts[{i}]: must be an object";
            }

            // A relative destination is taken from the root: the specification allowed it up to 1.0.
            if (mount.Destination.Length == 0 || HasZero(mount.Destination))
            {
                return $"mounts[{i}].destination: must be a path";
            }

            if (HasZero(mount.Source))
            {
                return $"mounts[{i}].source: must not contain a zero byte";
            }

            if (mount.IsBind && mount.Source.Length == 0)
            {
                return $"mounts[{i}].source: must not be empty for a bind mount";
            }

            if (!mount.IsBind && mount.Type is "" or "none")
            {
                return $"mounts[{i}].type: must not be empty";
            }

            if (FindBadString(mount.Options, $"mounts[{i}].options") is { } fault)
            {
                return fault;
            }

            if (mount.UidMappings.Count > 0 || mount.GidMappings.Count > 0)
            {
                return $"mounts[{i}].uidMappings: id-mapped mounts are not supported";
            }
        }

        return null;
    }

    private static string? ValidateHooks(OciHooks? hooks)
    {
        if (hooks is null)
        {
            return null;
        }

        return FindBadHook(hooks.Prestart, "prestart") ?? FindBadHook(hooks.CreateRuntime, "createRuntime") ?? FindBadHook(hooks.CreateContainer, "createContainer")
            ?? FindBadHook(hooks.StartContainer, "startContainer") ?? FindBadHook(hooks.Poststart, "poststart") ?? FindBadHook(hooks.Poststop, "poststop");
    }

    private static string? FindBadHook(IReadOnlyList<OciHook> hooks, string kind)
    {
        for (int i = 0; i < hooks.Count; i++)
        {
            OciHook? hook = hooks[i];
            string? fault = hook is null ? ": must be an object"
                : !hook.Path.StartsWith('/') || HasZero(hook.Path) ? ".path: must be an absolute path"
                : hook.Timeout is <= 0 ? ".timeout: must be greater than zero"
                : FindBadString(hook.Args, ".args") ?? FindBadString(hook.Env, ".env");
            if (fault is not null)
            {
                return $"hooks.{kind}[{i}]{fault}";
            }
        }

        return null;
    }

    private static string? ValidateLinux(OciSpec spec)
    {
        OciLinux linux = spec.Linux!;
        HashSet<string> seen = [];
        for (int i = 0; i < linux.Namespaces.Count; i++)
        {
            OciNamespace? entry = linux.Namespaces[i];
            if (entry is null || !s_namespaceTypes.Contains(entry.Type))
            {
                return $"linux.namespaces[{i}].type: \"{entry?.Type}\" is not a namespace type";
            }

            if (!seen.Add(entry.Type))
            {
                return $"linux.namespaces[{i}].type: {entry.Type} is given twice";
            }

            if (entry.Path.Length > 0 && (!entry.Path.StartsWith('/') || HasZero(entry.Path)))
            {
                return $"linux.namespaces[{i}].path: must be an absolute path";
            }
        }

        if (linux.CgroupsPath is { } path && (HasZero(path) || path.Split('/').Contains("..")))
        {
            return "linux.cgroupsPath: must be a path without \"..\"";
        }

        // The Gofer would act as other users than the configuration says.
        if (linux.UidMappings.Count > 0 || linux.GidMappings.Count > 0)
        {
            return "linux.uidMappings: user id mappings are not supported yet";
        }

        return ValidateDevices(linux.Devices) ?? FindBadString(linux.MaskedPaths, "linux.maskedPaths") ?? FindBadString(linux.ReadonlyPaths, "linux.readonlyPaths");
    }

    private static string? ValidateDevices(IReadOnlyList<OciDevice> devices)
    {
        for (int i = 0; i < devices.Count; i++)
        {
            OciDevice? device = devices[i];
            if (device is null || device.Type is not ("c" or "b" or "u" or "p"))
            {
                return $"linux.devices[{i}].type: \"{device?.Type}\" is not a device type";
            }

            if (!device.Path.StartsWith('/') || HasZero(device.Path))
            {
                return $"linux.devices[{i}].path: must be an absolute path";
            }
        }

        return null;
    }

    private static string? FindBadString(IReadOnlyList<string> values, string name)
    {
        if (values.Count > MaxEntries)
        {
            return $"{name}: must not have more than {MaxEntries} entries";
        }

        for (int i = 0; i < values.Count; i++)
        {
            if (values[i] is null || HasZero(values[i]))
            {
                return $"{name}[{i}]: must be a string without zero bytes";
            }
        }

        return null;
    }

    private static bool HasZero(string value) => value.Contains('\0');
}
