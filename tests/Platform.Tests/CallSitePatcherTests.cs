using Moat.Platform.Systrap;

namespace Moat.Platform.Tests;

/// <summary>Which instructions before <c>syscall</c> are replaced, and by what.</summary>
[Collection("children of this process")]
public sealed class CallSitePatcherTests : IDisposable
{
    private const int PageSize = 4096;
    private const int Syscall = 1000;
    private const string Return = "c3";
    private const string Padding = "662e0f1f840000000000"; // ten bytes that do nothing

    private readonly SystrapPlatform _platform = new();

    public void Dispose() => _platform.Dispose();

    [Theory]
    [InlineData("b827000000", 39, 5)]
    [InlineData("b827000000", 40, 0)] // another number was in RAX
    [InlineData("41b827000000", 39, 6)] // mov r8d, 39: any number may have been in RAX
    [InlineData("48c7c027000000", 39, 7)]
    [InlineData("4c8b4c2408", 39, 5)]
    [InlineData("ba05000000", 202, 5)] // mov edx, 5
    [InlineData("488d5310", 39, 4)] // lea rdx, [rbx + 16]
    [InlineData("31c0", 0, 2)]
    [InlineData("31c0", 1, 0)] // it would have been 0
    [InlineData("4489c0", 202, 3)] // mov eax, r8d
    [InlineData("4080f680", 202, 4)] // xor sil, 128
    [InlineData("8b3d10000000", 0, 0)] // mov edi, [rip + 16]
    [InlineData("7500", 0, 0)] // jne
    [InlineData("ffd0", 0, 0)] // call rax
    [InlineData("5f", 0, 0)] // pop rdi: too short for any jump
    public void TryFind_TakesOnlyWhatMeansTheSameElsewhere(string before, ulong number, int length)
    {
        byte[] page = Page(before, Return + Padding);
        Assert.Equal(length > 0, _platform.CallSites!.TryFind(page, Syscall, number, out CallSitePatch patch));
        if (length > 0)
        {
            Assert.Equal((Syscall - length, length), (patch.Start, patch.Length));
            Assert.Equal(length >= 5 ? -1 : Syscall + 3, patch.Island);
        }
    }

    [Theory]
    [InlineData(Return + "9090909090", 5)]
    [InlineData(Return + "cccccccccccc", 5)]
    [InlineData(Return + "0f1f00" + "0f1f4000", 7)]
    [InlineData("eb10" + Padding, 10)] // jmp
    [InlineData("90" + Padding, 0)] // execution comes there
    [InlineData("7410" + Padding, 0)] // je
    [InlineData(Return + "66909090", 0)] // not enough
    [InlineData(Return + "0f1f4000" + "c3", 0)]
    public void TryFind_OfAShortInstruction_NeedsPaddingThatNobodyExecutes(string behind, int length)
    {
        byte[] page = Page("31c0", behind);
        Assert.Equal(length > 0, _platform.CallSites!.TryFind(page, Syscall, 0, out CallSitePatch patch));
        Assert.Equal(length, patch.IslandLength);
    }

    [Fact]
    public void TryFind_OfAShortInstruction_NeedsPaddingInReach()
    {
        string far = string.Concat(Enumerable.Repeat("89c2", 60)); // mov edx, eax
        Assert.True(_platform.CallSites!.TryFind(Page("31c0", far + Return + Padding), Syscall, 0, out CallSitePatch patch));
        Assert.Equal(Syscall + 123, patch.Island);
        Assert.False(_platform.CallSites.TryFind(Page("31c0", far + "89c289c289c2" + Return + Padding), Syscall, 0, out _));
    }

    [Fact]
    public void TryFind_AtThePagesBeginning_DoesNotGuess()
    {
        byte[] page = Page("", "");
        ((byte[])[0x31, 0xc0, 0x0f, 0x05, 0xc3]).CopyTo(page, 0);
        page.AsSpan(5, 10).Fill(0x90);
        Assert.False(_platform.CallSites!.TryFind(page, 2, 0, out _));
    }

    [Fact]
    public void Write_LeavesTheSyscallAndWhatIsAroundIt()
    {
        byte[] page = Page("31c0", Return + Padding + Return);
        byte[] before = [.. page];
        Assert.True(_platform.CallSites!.TryFind(page, Syscall, 0, out CallSitePatch patch));
        byte[] trampoline = new byte[_platform.CallSites.TrampolineSize];
        _platform.CallSites.Write(patch, page, 0x10000, 0x20000, trampoline);
        Assert.Equal("eb03", Convert.ToHexStringLower(page.AsSpan(patch.Start, 2))); // over syscall and ret
        ulong target = (ulong)(0x10000 + patch.Island + 5 + BitConverter.ToInt32(page, patch.Island + 1));
        Assert.Equal(((byte)0xe9, 0x20000UL + (ulong)_platform.CallSites.CodeOffset), (page[patch.Island], target));
        Assert.Equal("31c0", Convert.ToHexStringLower(trampoline.AsSpan(_platform.CallSites.CodeOffset, 2)));
        page.AsSpan(patch.Start, 2).CopyTo(before.AsSpan(patch.Start));
        page.AsSpan(patch.Island, 10).CopyTo(before.AsSpan(patch.Island));
        Assert.Equal(before, page);
    }

    // Code with something before and behind a syscall instruction, and harmless instructions before it.
    private static byte[] Page(string before, string behind)
    {
        byte[] page = new byte[PageSize];
        byte[] head = Convert.FromHexString(before);
        for (int i = Syscall - head.Length - 4; i >= 0; i -= 4)
        {
            ((byte[])[0x48, 0x89, 0xd1, 0x90]).CopyTo(page, i); // mov rcx, rdx; nop
        }

        head.CopyTo(page, Syscall - head.Length);
        Convert.FromHexString("0f05" + behind).CopyTo(page, Syscall);
        return page;
    }
}
