using System.Runtime.InteropServices;
using Moat.Platform.Amd64;

namespace Moat.Platform.Tests;

public sealed unsafe class VdsoTests
{
    [Fact]
    public void HostVdso_HasTheClock()
    {
        HostVdso? vdso = HostVdso.Find();
        Assert.NotNull(vdso);
        Assert.InRange(vdso.FindFunction("__vdso_clock_gettime"u8), vdso.Start, vdso.End);
        Assert.Equal(0UL, vdso.FindFunction("__vdso_no_such"u8));
    }

    [Fact]
    public void Image_IsAnElfFileThatOthersRead()
    {
        byte[] image = VdsoImage.Create(static name => name == "__vdso_time" ? 0x7ffe00000000UL : 0);
        Assert.True(ElfSymbols.Find(image, "__vdso_clock_gettime"u8) > 0);
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, image);
            nint library = NativeLibrary.Load(file); // the C library's loader checks all its tables
            foreach (string name in (ReadOnlySpan<string>)["__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time", "__vdso_clock_getres", "__vdso_getcpu"])
            {
                Assert.NotEqual(0, NativeLibrary.GetExport(library, name));
            }

            // SAFETY: getcpu(2) with this signature, as a system call of ours.
            delegate* unmanaged<int*, int*, void*, int> getCpu = (delegate* unmanaged<int*, int*, void*, int>)NativeLibrary.GetExport(library, "__vdso_getcpu");
            int cpu = -1;
            Assert.Equal(0, getCpu(&cpu, null, null));
            Assert.InRange(cpu, 0, Environment.ProcessorCount - 1);
            NativeLibrary.Free(library);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
