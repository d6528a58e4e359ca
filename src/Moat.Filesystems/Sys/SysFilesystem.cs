using Moat.Filesystems.Synthetic;
using Moat.Kernel;
using Moat.Kernel.Time;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Sys;

/// <summary>sysfs (sysfs(5)): the processors, the interfaces of whoever looks, and the folders that programs expect to find.</summary>
public sealed class SysFilesystem : SyntheticFilesystem
{
    private const Mode WorldReadable = (Mode)0x124; // 0444

    /// <summary>Makes the tree.</summary>
    public SysFilesystem(DeviceNumber device, HostFacts facts, IKernelClock clock)
        : base(device, clock)
    {
        string cpus = facts.ProcessorCount == 1 ? "0\n" : $"0-{facts.ProcessorCount - 1}\n";
        StaticDirectory cpu = new(this);
        for (int i = 0; i < facts.ProcessorCount; i++)
        {
            cpu.Add($"cpu{i}", Processor(i, cpus, facts.ProcessorCount));
        }

        cpu.Add("online", Text(cpus)).Add("possible", Text(cpus)).Add("present", Text(cpus)).Add("offline", Text("\n")).Add("isolated", Text("\n")).Add("kernel_max", Text("8191\n"));
        StaticDirectory node0 = new StaticDirectory(this).Add("cpulist", Text(cpus)).Add("cpumap", Text(CpuMask(0, facts.ProcessorCount))).Add("distance", Text("10\n"));
        StaticDirectory node = new StaticDirectory(this)
            .Add("node0", node0).Add("online", Text("0\n")).Add("possible", Text("0\n")).Add("has_cpu", Text("0\n")).Add("has_memory", Text("0\n")).Add("has_normal_memory", Text("0\n"));
        StaticDirectory system = new StaticDirectory(this).Add("cpu", cpu).Add("node", node);
        StaticDirectory hugePages = new StaticDirectory(this).Add("enabled", Text("always [madvise] never\n")).Add("hpage_pmd_size", Text("2097152\n"));
        StaticDirectory root = new StaticDirectory(this)
            .Add("block", new StaticDirectory(this))
            .Add("bus", new StaticDirectory(this))
            .Add("class", new StaticDirectory(this).Add("net", new NetworkClassDirectory(this)).Add("power_supply", new StaticDirectory(this)))
            .Add("dev", new StaticDirectory(this).Add("block", new StaticDirectory(this)).Add("char", new StaticDirectory(this)))
            .Add("devices", new StaticDirectory(this).Add("system", system).Add("virtual", new StaticDirectory(this).Add("net", new NetworkSettingDirectory(this, static network => network.Devices, ""))))
            .Add("firmware", new StaticDirectory(this))
            .Add("fs", new StaticDirectory(this).Add("cgroup", new StaticDirectory(this)))
            .Add("kernel", new StaticDirectory(this).Add("address_bits", Text("64\n")).Add("cpu_byteorder", Text("little\n")).Add("mm", new StaticDirectory(this).Add("transparent_hugepage", hugePages)))
            .Add("module", new StaticDirectory(this))
            .Add("power", new StaticDirectory(this));
        Root = root;
    }

    /// <inheritdoc/>
    public override string TypeName => "sysfs";

    /// <inheritdoc/>
    public override Inode Root { get; }

    /// <inheritdoc/>
    protected override long Magic => 0x62656572;

    // The processors are cores of one package, one thread each: what the sandbox may use of the host says no more.
    private StaticDirectory Processor(int index, string siblings, int count)
    {
        StaticDirectory topology = new StaticDirectory(this).Add("core_id", Text($"{index}\n")).Add("die_id", Text("0\n")).Add("physical_package_id", Text("0\n"));
        foreach (string level in (ReadOnlySpan<string>)["core_siblings", "die_cpus", "package_cpus"])
        {
            topology.Add(level, Text(CpuMask(0, count))).Add(level + "_list", Text(siblings));
        }

        foreach (string level in (ReadOnlySpan<string>)["core_cpus", "thread_siblings"])
        {
            topology.Add(level, Text(CpuMask(index, 1))).Add(level + "_list", Text($"{index}\n"));
        }

        return new StaticDirectory(this).Add("online", Text("1\n")).Add("topology", topology);
    }

    // A bitmap of processors as Linux prints it: words of 32 bits in hexadecimal, the highest first.
    private static string CpuMask(int first, int count)
    {
        int top = (first + count - 1) / 32;
        System.Text.StringBuilder text = new();
        for (int word = top; word >= 0; word--)
        {
            uint bits = 0;
            for (int cpu = Math.Max(first, word * 32); cpu < Math.Min(first + count, (word + 1) * 32); cpu++)
            {
                bits |= 1u << (cpu - (word * 32));
            }

            text.Append(bits.ToString(word == top ? "x" : "x8", System.Globalization.CultureInfo.InvariantCulture)).Append(word == 0 ? '\n' : ',');
        }

        return text.ToString();
    }

    private TextFile Text(string content) => new(this, _ => content, WorldReadable);
}
