using Moat.Linux;

namespace Moat.NineP;

/// <summary>A server's answer to a Tlist: a directory, and those below it as far as they fit.</summary>
/// <param name="session">The peer.</param>
/// <param name="below">How many files of other directories may come.</param>
internal sealed class ListRequest(NinePSession session, int below)
{
    private const int MaxDepth = 16;
    private const int GroupHeader = 4 + 4 + 4;

    private readonly int _end = session.MessageSize;
    private int _left = below;
    private int _groups;

    /// <summary>Writes the answer.</summary>
    public Errno Run(NinePFile directory, ulong cookie)
    {
        if (!directory.GetAttributes().TryGet(out NinePAttributes own, out Errno errno))
        {
            return errno;
        }

        own.Write(session.Writer);
        int position = session.Writer.Length;
        session.Writer.Take(8 + 1).Clear();
        List<(int Index, byte[] Name)>? directories = _left > 0 ? [] : null;
        NinePFileSink sink = new(session.Writer, _end, int.MaxValue, directories);
        errno = directory.List(cookie, sink);
        if (errno != Errno.None)
        {
            return errno;
        }

        session.Writer.PatchUInt64(position, sink.Next);
        session.Writer.PatchByte(position + 8, sink.HasEnded ? (byte)1 : (byte)0);
        if (sink.HasEnded && cookie == 0 && directories is not null)
        {
            AddBelow(directory, 0, directories, 1);
        }

        return Errno.None;
    }

    // Adds the directories of a group, each with those below it; false when no more fit.
    private bool AddBelow(NinePFile parent, int group, List<(int Index, byte[] Name)> directories, int depth)
    {
        foreach ((int index, byte[] name) in directories)
        {
            if (_left <= 0 || _end - session.Writer.Length < GroupHeader)
            {
                return false;
            }

            if (!parent.Walk(name).TryGet(out NinePFile? directory, out _))
            {
                continue; // it is asked for by itself, then, and gets its error
            }

            bool fits = Add(directory, group, index, depth);
            directory.Dispose();
            if (!fits)
            {
                return false;
            }
        }

        return true;
    }

    private bool Add(NinePFile directory, int parentGroup, int index, int depth)
    {
        int position = session.Writer.Length;
        session.Writer.UInt32((uint)parentGroup);
        session.Writer.UInt32((uint)index);
        List<(int Index, byte[] Name)> directories = [];
        NinePFileSink sink = new(session.Writer, _end, _left, directories);
        if (directory.List(0, sink) != Errno.None || !sink.HasEnded)
        {
            session.Writer.GiveBack(session.Writer.Length - position);
            return false;
        }

        _left -= sink.Count;
        int group = ++_groups;
        return depth == MaxDepth || AddBelow(directory, group, directories, depth + 1);
    }
}
