using System.Runtime.InteropServices;

namespace Moat.Host;

/// <summary>What the host's kernel told this program at its start: getauxval(3).</summary>
public static partial class HostAuxiliary
{
    /// <summary>AT_HWCAP2: what the kernel lets programs use of the processor.</summary>
    public const int Hwcap2 = 26;

    /// <summary>AT_SYSINFO_EHDR: where the vDSO is.</summary>
    public const int SysinfoEhdr = 33;

    /// <summary>The value of an entry; 0 if there is none.</summary>
    public static ulong GetValue(int type) => GetAuxiliaryValue((nuint)type);

    [LibraryImport("libc", EntryPoint = "getauxval")]
    private static partial nuint GetAuxiliaryValue(nuint type);
}
