using Moat.Linux;
using Moat.Platform;

namespace Moat.Benchmarks;

/// <summary>A platform without application code: what is mapped is shown to nobody.</summary>
internal sealed class BenchPlatform : IPlatform
{
    public string Name => "none";

    public GuestAddress MinAddress => new(0x10000);

    public GuestAddress MaxAddress => new(1UL << 46);

    public ICallSitePatcher? CallSites => null;

    public byte[]? Vdso => null;

    public Result<IAddressSpace> NewAddressSpace() => new Space();

    public IContext NewContext() => new Context();

    public void Dispose()
    {
    }

    private sealed class Space : IAddressSpace
    {
        public Errno Map(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access, bool precommit) => Errno.None;

        public void Offer(GuestAddress address, ulong length, IMappableFile file, ulong fileOffset, MemoryAccess access, bool precommit)
        {
        }

        public bool TakeOffer(GuestAddress address, MemoryAccess access) => false;

        public void Begin()
        {
        }

        public void Unmap(GuestAddress address, ulong length)
        {
        }

        public void Protect(GuestAddress address, ulong length, MemoryAccess access)
        {
        }

        public void Share(GuestAddress address, ulong length, MemoryFile file, ulong fileOffset, MemoryAccess access)
        {
        }

        public void Retire(MemoryFile file, int page, int pages) => file.Release(page, pages);

        public void Flush()
        {
        }

        public Errno Reserve(ref readonly int users) => Errno.None;

        public void Dispose()
        {
        }
    }

    private sealed class Context : IContext
    {
        public int FpuStateSize => 512;

        public CallAnswers? Answers { get; set; }

        public (long Patched, long Trapped) Calls => default;

        public SwitchResult Switch(IAddressSpace space, ref RegisterSet registers) => new() { Reason = SwitchReason.Lost };

        public void Interrupt()
        {
        }

        public void Rest()
        {
        }

        public void ReadFpuState(Span<byte> state) => state.Clear();

        public Errno WriteFpuState(ReadOnlySpan<byte> state) => Errno.None;

        public void ResetFpuState()
        {
        }

        public void Dispose()
        {
        }
    }
}
