using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Moat.Filesystems.Proc;

/// <summary>/proc/cpuinfo, from what the processor itself says (CPUID, Intel SDM vol. 2A, AMD APM vol. 3).</summary>
internal static class CpuInfo
{
    // The names of proc(5)'s flags line, by CPUID leaf and register, bit 0 first; empty where Linux shows none.
    private static readonly string[] s_leaf1Edx =
        ["fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", "", "sep", "mtrr", "pge", "mca", "cmov", "pat", "pse36", "pn", "clflush", "", "dts", "acpi", "mmx", "fxsr", "sse", "sse2", "ss", "ht", "tm", "", "pbe"];

    private static readonly string[] s_leaf1Ecx =
        ["pni", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "vmx", "smx", "est", "tm2", "ssse3", "cid", "sdbg", "fma", "cx16", "xtpr", "pdcm", "", "pcid", "dca", "sse4_1", "sse4_2", "x2apic", "movbe", "popcnt", "tsc_deadline_timer", "aes", "xsave", "", "avx", "f16c", "rdrand", "hypervisor"];

    private static readonly string[] s_leaf7Ebx =
        ["fsgsbase", "tsc_adjust", "sgx", "bmi1", "hle", "avx2", "", "smep", "bmi2", "erms", "invpcid", "rtm", "cqm", "", "mpx", "rdt_a", "avx512f", "avx512dq", "rdseed", "adx", "smap", "avx512ifma", "", "clflushopt", "clwb", "intel_pt", "avx512pf", "avx512er", "avx512cd", "sha_ni", "avx512bw", "avx512vl"];

    private static readonly string[] s_leaf7Ecx =
        ["", "avx512vbmi", "umip", "pku", "", "waitpkg", "avx512_vbmi2", "", "gfni", "vaes", "vpclmulqdq", "avx512_vnni", "avx512_bitalg", "", "avx512_vpopcntdq", "", "", "", "", "", "", "", "rdpid", "", "", "cldemote", "", "movdiri", "movdir64b"];

    private static readonly string[] s_extendedEdx =
        ["", "", "", "", "", "", "", "", "", "", "", "syscall", "", "", "", "", "", "", "", "mp", "nx", "", "mmxext", "", "", "fxsr_opt", "pdpe1gb", "rdtscp", "", "lm", "3dnowext", "3dnow"];

    private static readonly string[] s_extendedEcx =
        ["lahf_lm", "cmp_legacy", "svm", "extapic", "cr8_legacy", "abm", "sse4a", "misalignsse", "3dnowprefetch", "osvw", "ibs", "xop", "skinit", "wdt", "", "lwp", "fma4", "tce", "", "nodeid_msr", "", "tbm", "topoext", "perfctr_core", "perfctr_nb"];

    /// <summary>The whole file for <paramref name="processors"/> equal processors.</summary>
    public static string Generate(int processors)
    {
        StringBuilder text = new();
        (int family, int model, int stepping) = Identity();
        string vendor = Vendor();
        string name = BrandName();
        string flags = Flags();
        int physicalBits = 40;
        int virtualBits = 48;
        if (MaxExtendedLeaf() >= 0x80000008)
        {
            int sizes = X86Base.CpuId(unchecked((int)0x80000008), 0).Eax;
            (physicalBits, virtualBits) = (sizes & 0xff, (sizes >> 8) & 0xff);
        }

        for (int i = 0; i < processors; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"processor\t: {i}\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\nmodel name\t: {name}\nstepping\t: {stepping}\n");
            text.Append(CultureInfo.InvariantCulture, $"cpu MHz\t\t: {FrequencyMhz(name):F3}\nphysical id\t: 0\nsiblings\t: {processors}\ncore id\t\t: {i}\ncpu cores\t: {processors}\napicid\t\t: {i}\n");
            text.Append(CultureInfo.InvariantCulture, $"fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: {X86Base.CpuId(0, 0).Eax}\nwp\t\t: yes\nflags\t\t: {flags}\nbugs\t\t:\nbogomips\t: {FrequencyMhz(name) * 2:F2}\n");
            text.Append(CultureInfo.InvariantCulture, $"clflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: {physicalBits} bits physical, {virtualBits} bits virtual\npower management:\n\n");
        }

        return text.ToString();
    }

    private static uint MaxExtendedLeaf() => unchecked((uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax);

    private static string Vendor()
    {
        (int _, int ebx, int ecx, int edx) = X86Base.CpuId(0, 0);
        Span<byte> bytes = stackalloc byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, ebx);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], edx);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], ecx);
        return Encoding.ASCII.GetString(bytes);
    }

    private static (int Family, int Model, int Stepping) Identity()
    {
        int signature = X86Base.CpuId(1, 0).Eax;
        int family = (signature >> 8) & 0xf;
        int model = (signature >> 4) & 0xf;
        if (family is 6 or 0xf)
        {
            model |= ((signature >> 16) & 0xf) << 4;
        }

        if (family == 0xf)
        {
            family += (signature >> 20) & 0xff;
        }

        return (family, model, signature & 0xf);
    }

    private static string BrandName()
    {
        if (MaxExtendedLeaf() < 0x80000004)
        {
            return "unknown";
        }

        Span<byte> bytes = stackalloc byte[48];
        for (int leaf = 0; leaf < 3; leaf++)
        {
            (int eax, int ebx, int ecx, int edx) = X86Base.CpuId(unchecked((int)0x80000002) + leaf, 0);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[(leaf * 16)..], eax);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[((leaf * 16) + 4)..], ebx);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[((leaf * 16) + 8)..], ecx);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[((leaf * 16) + 12)..], edx);
        }

        int end = bytes.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? bytes : bytes[..end]).Trim();
    }

    // Processors that do not tell their frequency have it at the end of the brand name ("@ 2.60GHz"); 0 otherwise.
    private static double FrequencyMhz(string brand)
    {
        if (X86Base.CpuId(0, 0).Eax >= 0x16 && X86Base.CpuId(0x16, 0).Eax is > 0 and int mhz)
        {
            return mhz;
        }

        int at = brand.LastIndexOf('@');
        return at >= 0 && brand.EndsWith("GHz", StringComparison.Ordinal)
            && double.TryParse(brand.AsSpan(at + 1, brand.Length - at - 4), NumberStyles.Float, CultureInfo.InvariantCulture, out double ghz) ? ghz * 1000 : 0;
    }

    private static string Flags()
    {
        List<string> flags = [];
        (int _, int _, int ecx1, int edx1) = X86Base.CpuId(1, 0);
        Collect(flags, s_leaf1Edx, edx1);
        if (MaxExtendedLeaf() >= 0x80000001)
        {
            (int _, int _, int ecx, int edx) = X86Base.CpuId(unchecked((int)0x80000001), 0);
            Collect(flags, s_extendedEdx, edx);
            Collect(flags, s_leaf1Ecx, ecx1);
            Collect(flags, s_extendedEcx, ecx);
        }

        if (X86Base.CpuId(0, 0).Eax >= 7)
        {
            (int _, int ebx, int ecx, int _) = X86Base.CpuId(7, 0);
            Collect(flags, s_leaf7Ebx, ebx);
            Collect(flags, s_leaf7Ecx, ecx);
        }

        return string.Join(' ', flags);
    }

    private static void Collect(List<string> flags, string[] names, int bits)
    {
        for (int i = 0; i < names.Length; i++)
        {
            if (names[i].Length > 0 && (bits & (1 << i)) != 0)
            {
                flags.Add(names[i]);
            }
        }
    }
}
