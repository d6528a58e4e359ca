using System.Globalization;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;
using Moat.Platform;

namespace Moat.Filesystems.Proc;

/// <summary>maps, statm, cmdline, environ and auxv of a process (proc(5)).</summary>
internal static class MemoryFiles
{
    /// <summary>Where names begin in maps.</summary>
    internal const int NameColumn = 73;
    private const int MaxText = 1 << 20;

    /// <summary>/proc/PID/maps.</summary>
    public static void Maps(GuestTask task, SyntheticText text)
    {
        foreach (MappingSnapshot mapping in Mappings(task))
        {
            AppendMapping(task, text, mapping);
        }
    }

    /// <summary>/proc/PID/statm, in pages: size, resident, shared (files and memory shared with others), text, 0, data and stack, 0.</summary>
    public static void Statm(GuestTask task, SyntheticText text)
    {
        MemorySummary memory = MemorySummary.Of(task);
        text.AppendLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{memory.Mapped / 4096} {memory.Resident / 4096} {(memory.File + memory.Shared) / 4096} {memory.Text / 4096} 0 {(memory.Data + memory.Stack) / 4096} 0"));
    }

    /// <summary>/proc/PID/cmdline.</summary>
    public static void CommandLine(GuestTask task, SyntheticText text) => AppendRange(task, text, task.Memory.Program.ArgumentStart, task.Memory.Program.ArgumentEnd);

    /// <summary>/proc/PID/environ.</summary>
    public static void Environment(GuestTask task, SyntheticText text) => AppendRange(task, text, task.Memory.Program.EnvironmentStart, task.Memory.Program.EnvironmentEnd);

    /// <summary>/proc/PID/auxv.</summary>
    public static void AuxiliaryVector(GuestTask task, SyntheticText text) => text.Append(task.Memory.Program.AuxiliaryVector);

    /// <summary>The mappings in order; none once the task has ended.</summary>
    internal static IReadOnlyList<MappingSnapshot> Mappings(GuestTask task) => task.HasEnded ? [] : task.Memory.ListMappings();

    private static void AppendRange(GuestTask task, SyntheticText text, ulong start, ulong end)
    {
        if (task.HasEnded || end <= start)
        {
            return;
        }

        byte[] bytes = new byte[Math.Min(end - start, MaxText)];
        int count = task.Memory.CopyInPartial(new GuestAddress(start), bytes);
        text.Append(bytes.AsSpan(0, count));
    }

    /// <summary>A line of maps.</summary>
    internal static void AppendMapping(GuestTask task, SyntheticText text, MappingSnapshot mapping)
    {
        string access = string.Create(4, mapping, static (span, mapping) =>
        {
            span[0] = (mapping.Access & MemoryAccess.Read) != 0 ? 'r' : '-';
            span[1] = (mapping.Access & MemoryAccess.Write) != 0 ? 'w' : '-';
            span[2] = (mapping.Access & MemoryAccess.Execute) != 0 ? 'x' : '-';
            span[3] = mapping.IsShared ? 's' : 'p';
        });
        ulong inode = 0;
        DeviceNumber device = default;
        if (mapping.Description is { } file && file.Inode.GetAttributes(out InodeAttributes attributes) == Errno.None)
        {
            (inode, device) = (attributes.Inode, attributes.Device);
        }

        string line = string.Create(
            CultureInfo.InvariantCulture, $"{mapping.Start:x8}-{mapping.End:x8} {access} {(mapping.Description is null ? 0 : mapping.FileOffset):x8} {device.Major:x2}:{device.Minor:x2} {inode} ");
        if (mapping.Description is null && mapping.Name is null)
        {
            text.AppendLine(line);
            return;
        }

        text.Append(line.PadRight(NameColumn));
        if (mapping.Description?.Location is { } location)
        {
            text.AppendEscaped(PathPrinter.Print(task.Fs.Root, location, out _), "\n"u8);
        }
        else
        {
            text.Append(mapping.Name ?? mapping.Description!.AnonymousName);
        }

        text.Append("\n"u8);
    }
}
