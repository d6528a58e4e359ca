using System.Globalization;
using System.Text;
using Moat.Filesystems.Synthetic;
using Moat.Kernel.Memory;
using Moat.Kernel.Tasks;
using Moat.Platform;

namespace Moat.Filesystems.Proc;

/// <summary>smaps and smaps_rollup of a process (proc(5)).</summary>
/// <remarks>A private page that a fork shares counts as shared and dirty, and half of it for the proportional size; pages of files count as this process's alone, since nobody counts who else shows them.</remarks>
internal static class SmapsFiles
{
    private const ulong PageBytes = MemoryFile.PageSize;

    /// <summary>/proc/PID/smaps.</summary>
    public static void Smaps(GuestTask task, SyntheticText text)
    {
        foreach (MappingSnapshot mapping in MemoryFiles.Mappings(task))
        {
            MemoryFiles.AppendMapping(task, text, mapping);
            StringBuilder lines = new();
            Line(lines, "Size", mapping.End - mapping.Start);
            Line(lines, "KernelPageSize", PageBytes);
            Line(lines, "MMUPageSize", PageBytes);
            AppendCounts(lines, mapping.PrivateBytes, mapping.SoleBytes, mapping.IsInMemory ? 0 : mapping.FileBytes, mapping.IsInMemory ? mapping.FileBytes : 0, mapping.IsLocked ? mapping.End - mapping.Start : 0, isRollup: false);
            lines.Append("THPeligible:           0\nVmFlags: ").Append(Flags(mapping)).Append('\n');
            text.Append(lines.ToString());
        }
    }

    /// <summary>/proc/PID/smaps_rollup.</summary>
    public static void Rollup(GuestTask task, SyntheticText text)
    {
        IReadOnlyList<MappingSnapshot> mappings = MemoryFiles.Mappings(task);
        if (mappings.Count == 0)
        {
            return;
        }

        ulong own = 0, sole = 0, file = 0, memory = 0, locked = 0;
        foreach (MappingSnapshot mapping in mappings)
        {
            own += mapping.PrivateBytes;
            sole += mapping.SoleBytes;
            file += mapping.IsInMemory ? 0 : mapping.FileBytes;
            memory += mapping.IsInMemory ? mapping.FileBytes : 0;
            locked += mapping.IsLocked ? mapping.End - mapping.Start : 0;
        }

        StringBuilder lines = new();
        lines.Append(string.Create(CultureInfo.InvariantCulture, $"{mappings[0].Start:x8}-{mappings[^1].End:x8} ---p 00000000 00:00 0 ").PadRight(MemoryFiles.NameColumn)).Append("[rollup]\n");
        AppendCounts(lines, own, sole, file, memory, locked, isRollup: true);
        text.Append(lines.ToString());
    }

    private static void AppendCounts(StringBuilder lines, ulong own, ulong sole, ulong file, ulong memory, ulong locked, bool isRollup)
    {
        ulong shared = own - sole;
        ulong anonymousShare = sole + (shared / 2);
        Line(lines, "Rss", own + file + memory);
        Line(lines, "Pss", anonymousShare + file + memory);
        Line(lines, "Pss_Dirty", anonymousShare + memory);
        if (isRollup)
        {
            Line(lines, "Pss_Anon", anonymousShare);
            Line(lines, "Pss_File", file);
            Line(lines, "Pss_Shmem", memory);
        }

        Line(lines, "Shared_Clean", 0);
        Line(lines, "Shared_Dirty", shared);
        Line(lines, "Private_Clean", file);
        Line(lines, "Private_Dirty", sole + memory);
        Line(lines, "Referenced", own + file + memory);
        Line(lines, "Anonymous", own);
        foreach (string name in (ReadOnlySpan<string>)["KSM", "LazyFree", "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped", "Shared_Hugetlb", "Private_Hugetlb", "Swap", "SwapPss"])
        {
            Line(lines, name, 0);
        }

        Line(lines, "Locked", locked);
    }

    private static void Line(StringBuilder lines, string name, ulong bytes) => lines.Append(CultureInfo.InvariantCulture, $"{name + ":",-16}{bytes / 1024,8} kB\n");

    // Two letters for each property, in Linux's order (proc(5), VmFlags).
    private static string Flags(MappingSnapshot mapping)
    {
        StringBuilder flags = new();
        void Add(bool isSet, string name) => flags.Append(isSet ? name : "").Append(isSet ? " " : "");
        Add((mapping.Access & MemoryAccess.Read) != 0, "rd");
        Add((mapping.Access & MemoryAccess.Write) != 0, "wr");
        Add((mapping.Access & MemoryAccess.Execute) != 0, "ex");
        Add(mapping.IsShared, "sh");
        Add((mapping.MaxAccess & MemoryAccess.Read) != 0, "mr");
        Add((mapping.MaxAccess & MemoryAccess.Write) != 0, "mw");
        Add((mapping.MaxAccess & MemoryAccess.Execute) != 0, "me");
        Add(mapping.IsShared, "ms");
        Add(mapping.GrowsDown, "gd");
        Add(mapping.IsLocked, "lo");
        Add(mapping.DontFork, "dc");
        Add(mapping.Description is null, "ac");
        Add(mapping.WipeOnFork, "wf");
        return flags.ToString();
    }
}
