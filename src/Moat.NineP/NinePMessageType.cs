namespace Moat.NineP;

/// <summary>Message types of 9P2000.L. An answer's type is its request's plus one. From <see cref="Tlookup"/> on they are Moat's own, in a range that no published dialect uses;
/// both sides use them only after agreeing on <see cref="NinePVersion.Extended"/>.</summary>
public enum NinePMessageType : byte
{
    Rlerror = 7,
    Tstatfs = 8,
    Tlopen = 12,
    Tlcreate = 14,
    Tsymlink = 16,
    Tmknod = 18,
    Trename = 20,
    Treadlink = 22,
    Tgetattr = 24,
    Tsetattr = 26,
    Txattrwalk = 30,
    Txattrcreate = 32,
    Treaddir = 40,
    Tfsync = 50,
    Tlock = 52,
    Tgetlock = 54,
    Tlink = 70,
    Tmkdir = 72,
    Trenameat = 74,
    Tunlinkat = 76,
    Tversion = 100,
    Tauth = 102,
    Tattach = 104,
    Tflush = 108,
    Twalk = 110,
    Tread = 116,
    Twrite = 118,
    Tclunk = 120,
    Tremove = 122,

    /// <summary>fid[4] name[s] → attributes target[s]: what a name is, without a new fid; the target of a symbolic link comes with it. An empty name means the fid itself.</summary>
    Tlookup = 200,

    /// <summary>fid[4] name[s] flags[4] → attributes, and a descriptor beside the message: a regular file, opened.</summary>
    Topenat = 202,

    /// <summary>fid[4] name[s] flags[4] mode[4] uid[4] gid[4] → attributes, and a descriptor: a regular file that did not exist.</summary>
    Tcreateat = 204,

    /// <summary>fid[4] newfid[4] name[s] cookie[8] below[4] → attributes next[8] end[1] n[4] file*n (group[4] index[4] n[4] file*n)*, a file being name[s] attributes target[s]: the files of a directory with
    /// what Tlookup says of each, as many as fit, and first what the directory was before; the listing goes on at the next cookie unless it has ended. An empty name means the fid itself; the new fid, unless it is NOFID, refers to the
    /// directory. Behind the end come whole directories below it, as long as they fit and are not more than so many files: each is the file of that index in an earlier group, the directory being group 0.</summary>
    Tlist = 206,

    /// <summary>fid[4] n[2] name[s]*n → attributes error[4] m[2] (attributes target[s])*m: what the fid is, and what the names below it are, each in the one before: up to the first that is no
    /// directory or gives an error, which is 0 if there was none. At most 16 names.</summary>
    Tlookuppath = 208,

    /// <summary>fid[4] flags[4] n[2] name[s]*n → error[4]*n, and a descriptor for each that is 0: regular files of a directory, opened. At most 16 names.</summary>
    Topenmany = 210,
}
